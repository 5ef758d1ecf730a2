nav-registry = 片区与单位
nav-people = 人员
nav-lots = 批号
nav-imports = 名册导入

registry-title = 片区
registry-zones = 片区数
registry-people = 人数
registry-findings-open = 待处理疑点
registry-no-zones = 还没有片区。请导入名册，或新增片区。
registry-kind-zone = 片区
registry-kind-grid = 网格
registry-kind-building = 楼栋
registry-kind-enterprise = 企业
registry-kind-point = 采样点
registry-kind-laboratory = 实验室
registry-kind-gate = 出入口
registry-place-kind = 类别
registry-place-code = 编码
registry-place-name = 名称
registry-place-new = 新增
registry-place-add = 新增
registry-place-change = 修改
registry-place-close = 停用
registry-place-open = 恢复使用
registry-place-id = 区域编号 { $id }
registry-save = 保存
registry-opening-hours = 开放时间
registry-lanes = 采样通道数
registry-capacity = 容量（采样点：人/小时；实验室：管/日）
registry-people-count = { $count } 人
registry-people-of = { $place } 的人员
registry-codes = 打印个人码
registry-codes-pdf = 下载标签（PDF）
registry-codes-of = { $place } 的个人码
registry-register = 现场登记
registry-more = 下一页
registry-earlier = 上一页
registry-print = 打印

registry-findings = 疑点
registry-findings-none = 没有疑点。
registry-finding-settle = 已核实
finding-same-document = 两条人员记录使用同一证件号码。

registry-field-name = 姓名
registry-field-document_type = 证件类型
registry-field-document_number = 证件号码
registry-field-phone = 手机号
registry-field-address = 住址
registry-field-zone = 片区编码
registry-field-zone_name = 片区名称
registry-field-grid = 网格编码
registry-field-grid_name = 网格名称
registry-field-building = 楼栋编码
registry-field-building_name = 楼栋名称
registry-field-household = 户号
registry-field-enterprise_code = 统一社会信用代码
registry-field-enterprise_name = 单位名称
registry-field-tag = 标签
registry-field-language = 报告语言
registry-language-by-document = 按证件类型推定
registry-document-resident_id = 居民身份证
registry-document-passport = 护照
registry-document-hong_kong_macao_permit = 港澳居民来往内地通行证
registry-document-taiwan_permit = 台湾居民来往大陆通行证
registry-document-foreign_permanent_resident_id = 外国人永久居留身份证
registry-document-other = 其他证件

registry-person = 人员
registry-code = 个人码
registry-find = 查找
registry-find-title = 查找人员
registry-find-what = 姓名、拼音、证件号码、手机号，或扫描个人码
registry-find-none = 没有找到。
registry-find-first = 只显示前 { $count } 人，请补充条件。
registry-membership = 归属
registry-nowhere = 不在册
registry-passing = 无片区（流动人员）
registry-looks = 查阅记录
registry-shredded = 此人的数据密钥已销毁，姓名、证件、电话和住址已无法读取。
registry-withdrawn = 已撤回：登记此人的导入已被撤销。
registry-shred = 销毁个人信息
registry-shred-words = 此人的数据密钥将被永久销毁。姓名、证件、电话和住址在名册、账本和所有备份中都将无法读取，任何人都不能恢复。
registry-shred-confirm = 我知道此操作无法撤销
registry-shred-do = 销毁
registry-reason = 理由
purpose-register = 登记
purpose-search = 查找
purpose-look-up = 查询
purpose-code = 个人码
purpose-codes = 打印个人码
purpose-list = 人员名单
purpose-finding = 核实疑点
purpose-person-page = 人员页面

registry-lots = 试剂与耗材批号
registry-lots-none = 还没有批号。
registry-lot-preservation_fluid = 保存液
registry-lot-extraction_kit = 核酸提取试剂
registry-lot-pcr_kit = 扩增试剂
registry-lot-kind = 类别
registry-lot-code = 批号
registry-lot-product = 产品
registry-lot-expires = 失效时间
registry-lot-expires-day = 有效期至（含当日）
registry-lot-state = 状态
registry-lot-recalled = { $time } 召回：{ $reason }
registry-lot-expired = 已过期
registry-lot-usable = 可用
registry-lot-recall = 召回
registry-lot-new = 新增批号
registry-lot-add = 新增

registry-imports = 名册导入
registry-import-file = 名册文件
registry-import-upload = 上传并检查
registry-import-hint = 支持带表头的 CSV、XLSX、XLS 文件。确认检查结果之前不会保存任何内容。
registry-import-when = 时间
registry-import-what = 结果
registry-import-begun = 进行中或已中断
registry-import-undo = 撤销
registry-import-counts = 新增 { $new } · 变更 { $changed } · 不变 { $unchanged } · 不再列出 { $gone } · 未导入 { $refused } · 重复 { $repeated }
registry-import-judging = 正在检查文件……
registry-import-running = 正在导入：{ $done } / { $all } 人。
registry-import-done = 导入完成。
registry-import-end-gone = 对文件中不再列出的 { $count } 人终止归属
registry-import-commit = 导入 { $count } 人
registry-import-columns = 列对应
registry-import-not-used = 不使用
registry-import-judge-again = 重新检查
registry-import-rows = 共 { $rows } 行。
registry-import-places = 将新增 { $count } 个区域或单位
registry-import-problems = 未导入的行
registry-import-problems-csv = 下载 CSV
registry-report-row = 行
registry-report-column = 列
registry-report-field = 字段
registry-report-problem = 问题
registry-report-first-row = 首次出现的行
registry-problem-empty = 缺少内容
registry-problem-length = 长度不对
registry-problem-character = 含有不允许的字符
registry-problem-date = 号码中的出生日期不存在
registry-problem-check = 校验码不符，号码有误
registry-problem-document-kind = 不认识的证件类型
registry-problem-document-of-another = 前面的行以另一姓名使用了同一证件号码
registry-problem-zone-missing = 缺少片区
registry-problem-out-of-scope = 不在您的管辖范围内
registry-problem-repeated = 与前面的行重复

refusal-place-code-wrong = 编码为 1–{ $length } 个字符，首尾不能有空格。
refusal-place-name-wrong = 名称为 1–{ $length } 个字符，首尾不能有空格。
refusal-place-code-taken = 编码 { $code } 已被使用。
refusal-credit-code-taken = 另一家单位已使用此统一社会信用代码。
refusal-place-without-parent = 请说明所在的片区、网格或楼栋。
refusal-place-parent-unknown = 没有找到所在的区域。
refusal-place-parent-wrong = 这一类别不能放在该处。
refusal-place-bucket-wrong = 编号必须与所在片区同属分区 { $bucket }。
refusal-place-bucket-wrong-next = 请不要填写编号，由系统生成。
refusal-credit-code-wrong = 统一社会信用代码有误：{ $problem ->
        [empty] 缺少内容
        [length] 长度不对
        [character] 含有不允许的字符
        [date] 出生日期不存在
        [check] 校验码不符
       *[other] { $problem }
    }。
refusal-credit-code-wrong-next = 请与营业执照逐位核对 18 位代码。
refusal-place-position-wrong = 纬度应在 ±90° 以内，经度应在 ±180° 以内。
refusal-place-capacity-wrong = 通道数和容量应为不小于零的整数。
refusal-opening-hours-wrong = 开放时间请写成 07:00-22:00。
refusal-lot-text-wrong = 请填写批号（不超过 60 个字符）和产品（不超过 120 个字符）。
refusal-lot-code-taken = 此类别的批号 { $code } 已登记。
refusal-lot-recalled-already = 此批号已经召回。
refusal-reason-missing = 请填写理由。
refusal-person-shredded-already = 此人的个人信息已经销毁。
refusal-person-code-unreadable = 这不是个人码。
refusal-person-code-unreadable-next = 请重新扫描，或按证件查找。
refusal-person-code-forged = 此个人码不是本系统签发的。
refusal-person-code-forged-next = 请核对证件，按证件查找或登记。
refusal-person-field-wrong = { $field ->
        [name] 姓名
        [document_type] 证件类型
        [document_number] 证件号码
        [phone] 手机号
        [address] 住址
        [zone] 片区编码
        [enterprise_code] 统一社会信用代码
        [tag] 标签
       *[other] { $field }
    }有误：{ $problem ->
        [empty] 缺少内容
        [length] 长度不对
        [character] 含有不允许的字符
        [date] 出生日期不存在
        [check] 校验码不符
       *[other] { $problem }
    }。
refusal-person-field-wrong-next = 请与证件核对后更正。
refusal-import-column-missing = 没有识别出“{ $field ->
        [name] 姓名
        [document_type] 证件类型
        [document_number] 证件号码
        [phone] 手机号
        [address] 住址
        [zone] 片区编码
        [enterprise_code] 统一社会信用代码
        [tag] 标签
       *[other] { $field }
    }”列。
refusal-import-column-missing-next = 请为文件补上表头（姓名、证件号码、片区）后重新上传。
refusal-import-column-beyond = 文件没有第 { $column } 列。
refusal-import-file-wrong = 文件无法读取：{ $problem }
refusal-import-file-missing = 请选择文件。
refusal-import-nothing = 文件中没有新增或变更的内容。
refusal-import-gone-with-errors = 有 { $rows } 行存在错误：所有行都能读取之前不终止归属。
refusal-import-gone-with-errors-next = 请更正所列各行，或导入时不终止归属。
refusal-import-undone-already = 此次导入已经撤销。
refusal-import-numbers-used-up = 导入用的设备编号已用完。
refusal-import-fold-slow = 数据已记录，页面尚未全部显示。
refusal-import-fold-slow-next = 请等待 { $seconds } 秒，不要重复导入。
refusal-uploads-full = 同时导入的文件太多。
refusal-uploads-full-next = 请在 { $seconds } 秒后重试。
refusal-upload-gone = 此上传文件已不再保留。
refusal-upload-gone-next = 请重新上传；没有保存任何内容。
refusal-upload-not-judged = 文件尚未检查完毕，或导入已经开始。
refusal-shred-unconfirmed = 请确认销毁。
