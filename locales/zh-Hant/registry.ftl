nav-registry = 片區與單位
nav-people = 人員
nav-lots = 批號
nav-imports = 名冊匯入

registry-title = 片區
registry-zones = 片區數
registry-people = 人數
registry-findings-open = 待處理疑點
registry-no-zones = 還沒有片區。請匯入名冊，或新增片區。
registry-kind-zone = 片區
registry-kind-grid = 網格
registry-kind-building = 樓棟
registry-kind-enterprise = 企業
registry-kind-point = 採檢站
registry-kind-laboratory = 檢驗室
registry-kind-gate = 出入口
registry-place-kind = 類別
registry-place-code = 代碼
registry-place-name = 名稱
registry-place-new = 新增
registry-place-add = 新增
registry-place-change = 修改
registry-place-close = 停用
registry-place-open = 恢復使用
registry-place-id = 區域編號 { $id }
registry-save = 儲存
registry-opening-hours = 開放時間
registry-lanes = 採檢通道數
registry-capacity = 容量（採檢站：人/小時；檢驗室：管/日）
registry-people-count = { $count } 人
registry-people-of = { $place } 的人員
registry-codes = 列印個人碼
registry-codes-pdf = 下載標籤（PDF）
registry-codes-of = { $place } 的個人碼
registry-register = 現場登記
registry-more = 下一頁
registry-earlier = 上一頁
registry-print = 列印

registry-findings = 疑點
registry-findings-none = 沒有疑點。
registry-finding-settle = 已查核
finding-same-document = 兩筆人員資料使用同一證件號碼。

registry-field-name = 姓名
registry-field-document_type = 證件類型
registry-field-document_number = 證件號碼
registry-field-phone = 手機號碼
registry-field-address = 住址
registry-field-zone = 片區代碼
registry-field-zone_name = 片區名稱
registry-field-grid = 網格代碼
registry-field-grid_name = 網格名稱
registry-field-building = 樓棟代碼
registry-field-building_name = 樓棟名稱
registry-field-household = 戶號
registry-field-enterprise_code = 統一社會信用代碼
registry-field-enterprise_name = 單位名稱
registry-field-tag = 標籤
registry-field-language = 報告語言
registry-language-by-document = 依證件類型推定
registry-document-resident_id = 居民身分證
registry-document-passport = 護照
registry-document-hong_kong_macao_permit = 港澳居民來往內地通行證
registry-document-taiwan_permit = 臺灣居民來往大陸通行證
registry-document-foreign_permanent_resident_id = 外國人永久居留身分證
registry-document-other = 其他證件

registry-person = 人員
registry-code = 個人碼
registry-find = 查詢
registry-find-title = 查詢人員
registry-find-what = 姓名、拼音、證件號碼、手機號碼，或掃描個人碼
registry-find-none = 查無資料。
registry-find-first = 只顯示前 { $count } 人，請補充條件。
registry-membership = 歸屬
registry-nowhere = 不在冊
registry-passing = 無片區（流動人員）
registry-looks = 查閱紀錄
registry-shredded = 此人的資料金鑰已銷毀，姓名、證件、電話和住址已無法讀取。
registry-withdrawn = 已撤回：登記此人的匯入已被復原。
registry-shred = 銷毀個人資料
registry-shred-words = 此人的資料金鑰將永久銷毀。姓名、證件、電話和住址在名冊、帳本和所有備份中都將無法讀取，任何人都不能復原。
registry-shred-confirm = 我知道此操作無法復原
registry-shred-do = 銷毀
registry-reason = 理由
purpose-register = 登記
purpose-search = 搜尋
purpose-look-up = 查詢
purpose-code = 個人碼
purpose-codes = 列印個人碼
purpose-list = 人員名單
purpose-finding = 查核疑點
purpose-person-page = 人員頁面

registry-lots = 試劑與耗材批號
registry-lots-none = 還沒有批號。
registry-lot-preservation_fluid = 保存液
registry-lot-extraction_kit = 核酸萃取試劑
registry-lot-pcr_kit = PCR 試劑
registry-lot-kind = 類別
registry-lot-code = 批號
registry-lot-product = 產品
registry-lot-expires = 失效時間
registry-lot-expires-day = 有效期限（含當日）
registry-lot-state = 狀態
registry-lot-recalled = { $time } 回收：{ $reason }
registry-lot-expired = 已過期
registry-lot-usable = 可用
registry-lot-recall = 回收
registry-lot-new = 新增批號
registry-lot-add = 新增

registry-imports = 名冊匯入
registry-import-file = 名冊檔案
registry-import-upload = 上傳並檢查
registry-import-hint = 支援含標題列的 CSV、XLSX、XLS 檔案。確認檢查結果之前不會儲存任何內容。
registry-import-when = 時間
registry-import-what = 結果
registry-import-begun = 進行中或已中斷
registry-import-undo = 復原
registry-import-counts = 新增 { $new } · 異動 { $changed } · 不變 { $unchanged } · 不再列出 { $gone } · 未匯入 { $refused } · 重複 { $repeated }
registry-import-judging = 正在檢查檔案……
registry-import-running = 正在匯入：{ $done } / { $all } 人。
registry-import-done = 匯入完成。
registry-import-end-gone = 對檔案中不再列出的 { $count } 人終止歸屬
registry-import-commit = 匯入 { $count } 人
registry-import-columns = 欄位對應
registry-import-not-used = 不使用
registry-import-judge-again = 重新檢查
registry-import-rows = 共 { $rows } 列。
registry-import-places = 將新增 { $count } 個區域或單位
registry-import-problems = 未匯入的資料列
registry-import-problems-csv = 下載 CSV
registry-report-row = 列
registry-report-column = 欄
registry-report-field = 欄位
registry-report-problem = 問題
registry-report-first-row = 首次出現的列
registry-problem-empty = 缺少內容
registry-problem-length = 長度不對
registry-problem-character = 含有不允許的字元
registry-problem-date = 號碼中的出生日期不存在
registry-problem-check = 檢查碼不符，號碼有誤
registry-problem-document-kind = 不認識的證件類型
registry-problem-document-of-another = 前面的列以另一姓名使用了同一證件號碼
registry-problem-zone-missing = 缺少片區
registry-problem-out-of-scope = 不在您的管轄範圍內
registry-problem-repeated = 與前面的列重複

refusal-place-code-wrong = 代碼為 1–{ $length } 個字元，首尾不能有空格。
refusal-place-name-wrong = 名稱為 1–{ $length } 個字元，首尾不能有空格。
refusal-place-code-taken = 代碼 { $code } 已被使用。
refusal-credit-code-taken = 另一單位已使用此統一社會信用代碼。
refusal-place-without-parent = 請說明所在的片區、網格或樓棟。
refusal-place-parent-unknown = 查無所在的區域。
refusal-place-parent-wrong = 此類別不能放在該處。
refusal-place-bucket-wrong = 編號必須與所在片區同屬分區 { $bucket }。
refusal-place-bucket-wrong-next = 請不要填寫編號，由系統產生。
refusal-credit-code-wrong = 統一社會信用代碼有誤：{ $problem ->
        [empty] 缺少內容
        [length] 長度不對
        [character] 含有不允許的字元
        [date] 出生日期不存在
        [check] 檢查碼不符
       *[other] { $problem }
    }。
refusal-credit-code-wrong-next = 請與營業執照逐位核對 18 位代碼。
refusal-place-position-wrong = 緯度應在 ±90° 以內，經度應在 ±180° 以內。
refusal-place-capacity-wrong = 通道數和容量應為不小於零的整數。
refusal-opening-hours-wrong = 開放時間請寫成 07:00-22:00。
refusal-lot-text-wrong = 請填寫批號（不超過 60 個字元）和產品（不超過 120 個字元）。
refusal-lot-code-taken = 此類別的批號 { $code } 已登記。
refusal-lot-recalled-already = 此批號已經回收。
refusal-reason-missing = 請填寫理由。
refusal-person-shredded-already = 此人的個人資料已經銷毀。
refusal-person-code-unreadable = 這不是個人碼。
refusal-person-code-unreadable-next = 請重新掃描，或依證件查詢。
refusal-person-code-forged = 此個人碼不是本系統簽發的。
refusal-person-code-forged-next = 請核對證件，依證件查詢或登記。
refusal-person-field-wrong = { $field ->
        [name] 姓名
        [document_type] 證件類型
        [document_number] 證件號碼
        [phone] 手機號碼
        [address] 住址
        [zone] 片區代碼
        [enterprise_code] 統一社會信用代碼
        [tag] 標籤
       *[other] { $field }
    }有誤：{ $problem ->
        [empty] 缺少內容
        [length] 長度不對
        [character] 含有不允許的字元
        [date] 出生日期不存在
        [check] 檢查碼不符
       *[other] { $problem }
    }。
refusal-person-field-wrong-next = 請與證件核對後更正。
refusal-import-column-missing = 沒有辨識出「{ $field ->
        [name] 姓名
        [document_type] 證件類型
        [document_number] 證件號碼
        [phone] 手機號碼
        [address] 住址
        [zone] 片區代碼
        [enterprise_code] 統一社會信用代碼
        [tag] 標籤
       *[other] { $field }
    }」欄。
refusal-import-column-missing-next = 請為檔案補上標題列（姓名、證件號碼、片區）後重新上傳。
refusal-import-column-beyond = 檔案沒有第 { $column } 欄。
refusal-import-file-wrong = 檔案無法讀取：{ $problem }
refusal-import-file-missing = 請選擇檔案。
refusal-import-nothing = 檔案中沒有新增或異動的內容。
refusal-import-gone-with-errors = 有 { $rows } 列有錯誤：所有列都能讀取之前不終止歸屬。
refusal-import-gone-with-errors-next = 請更正所列各列，或匯入時不終止歸屬。
refusal-import-undone-already = 此次匯入已經復原。
refusal-import-numbers-used-up = 匯入用的裝置編號已用完。
refusal-import-fold-slow = 資料已記錄，頁面尚未全部顯示。
refusal-import-fold-slow-next = 請等待 { $seconds } 秒，不要重複匯入。
refusal-uploads-full = 同時匯入的檔案太多。
refusal-uploads-full-next = 請在 { $seconds } 秒後重試。
refusal-upload-gone = 此上傳檔案已不再保留。
refusal-upload-gone-next = 請重新上傳；沒有儲存任何內容。
refusal-upload-not-judged = 檔案尚未檢查完畢，或匯入已經開始。
refusal-shred-unconfirmed = 請確認銷毀。
