nav-registry = Registry
nav-people = People
nav-lots = Lots
nav-imports = Imports

registry-title = Zones
registry-zones = Zones
registry-people = People
registry-findings-open = Open findings
registry-no-zones = There are no zones yet. Import a roster, or add a zone.
registry-kind-zone = Zone
registry-kind-grid = Grid
registry-kind-building = Building
registry-kind-enterprise = Enterprise
registry-kind-point = Sampling point
registry-kind-laboratory = Laboratory
registry-kind-gate = Gate
registry-place-kind = Kind
registry-place-code = Code
registry-place-name = Name
registry-place-new = Add a place
registry-place-add = Add
registry-place-change = Change this place
registry-place-close = Close this place
registry-place-open = Open this place again
registry-place-id = Place id { $id }
registry-save = Save
registry-opening-hours = Opening hours
registry-lanes = Lanes
registry-capacity = Capacity (point: people per hour; laboratory: tubes per day)
registry-people-count = { $count ->
    [one] { $count } person
   *[other] { $count } people
}
registry-people-of = People of { $place }
registry-codes = Print codes
registry-codes-pdf = Labels as PDF
registry-codes-of = Codes of { $place }
registry-register = Register a person
registry-more = Next page
registry-earlier = Previous page
registry-print = Print

registry-findings = Findings
registry-findings-none = No findings.
registry-finding-settle = Settled
finding-same-document = Two people are registered with the same document.

registry-field-name = Name
registry-field-document_type = Document type
registry-field-document_number = Document number
registry-field-phone = Phone
registry-field-address = Address
registry-field-zone = Zone code
registry-field-zone_name = Zone name
registry-field-grid = Grid code
registry-field-grid_name = Grid name
registry-field-building = Building code
registry-field-building_name = Building name
registry-field-household = Household
registry-field-enterprise_code = Unified social credit code
registry-field-enterprise_name = Enterprise name
registry-field-tag = Tags
registry-field-language = Language of reports
registry-language-by-document = as the document suggests
registry-document-resident_id = Resident identity card
registry-document-passport = Passport
registry-document-hong_kong_macao_permit = Mainland travel permit for Hong Kong and Macao residents
registry-document-taiwan_permit = Mainland travel permit for Taiwan residents
registry-document-foreign_permanent_resident_id = Foreign permanent resident identity card
registry-document-other = Other document

registry-person = Person
registry-code = Personal code
registry-find = Find
registry-find-title = Find people
registry-find-what = Name, pinyin, document number, phone, or a scanned code
registry-find-none = Nobody found.
registry-find-first = The first { $count } are shown. Type more to narrow the search.
registry-membership = Belongs to
registry-nowhere = Not in the registry
registry-passing = No zone (transient)
registry-looks = Who looked at this record
registry-shredded = This person's data key was destroyed. Name, document, phone and address cannot be read any more.
registry-withdrawn = Withdrawn: the import that entered this person was taken back.
registry-shred = Destroy personal data
registry-shred-words = The data key of this person is destroyed for ever. Name, document, phone and address become unreadable in the registry, in the ledger and in every backup. Nobody can undo this.
registry-shred-confirm = I understand that this cannot be undone
registry-shred-do = Destroy
registry-reason = Reason
purpose-register = registration
purpose-search = search
purpose-look-up = look-up
purpose-code = personal code
purpose-codes = printed codes
purpose-list = list of people
purpose-finding = finding
purpose-person-page = person page

registry-lots = Lots
registry-lots-none = No lots yet.
registry-lot-preservation_fluid = Preservation fluid
registry-lot-extraction_kit = Extraction kit
registry-lot-pcr_kit = PCR kit
registry-lot-kind = Kind
registry-lot-code = Lot number
registry-lot-product = Product
registry-lot-expires = Expires
registry-lot-expires-day = Last day of use
registry-lot-state = State
registry-lot-recalled = Recalled { $time }: { $reason }
registry-lot-expired = Expired
registry-lot-usable = Usable
registry-lot-recall = Recall
registry-lot-new = Add a lot
registry-lot-add = Add

registry-imports = Roster imports
registry-import-file = Roster file
registry-import-upload = Upload and check
registry-import-hint = CSV, XLSX or XLS with a header row. Nothing is saved until you confirm the result of the check.
registry-import-when = When
registry-import-what = Result
registry-import-begun = Running, or interrupted
registry-import-undo = Undo
registry-import-counts = New { $new } · changed { $changed } · unchanged { $unchanged } · no longer listed { $gone } · left out { $refused } · repeated { $repeated }
registry-import-judging = The file is being checked…
registry-import-running = Importing: { $done } of { $all } people.
registry-import-done = The import is complete.
registry-import-end-gone = End the membership of the { $count } people who are no longer in the file
registry-import-commit = { $count ->
    [one] Import { $count } person
   *[other] Import { $count } people
}
registry-import-columns = Columns
registry-import-not-used = Not used
registry-import-judge-again = Check again
registry-import-rows = { $rows ->
    [one] { $rows } row.
   *[other] { $rows } rows.
}
registry-import-places = { $count ->
    [one] { $count } place will be added
   *[other] { $count } places will be added
}
registry-import-problems = Rows left out
registry-import-problems-csv = Download as CSV
registry-report-row = Row
registry-report-column = Column
registry-report-field = Field
registry-report-problem = Problem
registry-report-first-row = First in row
registry-problem-empty = Missing
registry-problem-length = Wrong length
registry-problem-character = Contains a character that is not allowed
registry-problem-date = The date of birth in the number does not exist
registry-problem-check = The check digit is wrong; the number is mistyped
registry-problem-document-kind = Unknown document type
registry-problem-document-of-another = The same document stands in an earlier row under another name
registry-problem-zone-missing = The zone is missing
registry-problem-out-of-scope = Outside your scope
registry-problem-repeated = Repeats an earlier row

refusal-place-code-wrong = A code has 1 to { $length } characters and no blanks around it.
refusal-place-name-wrong = A name has 1 to { $length } characters and no blanks around it.
refusal-place-code-taken = The code { $code } is taken.
refusal-credit-code-taken = Another enterprise has this unified social credit code.
refusal-place-without-parent = Say in which zone, grid or building this place lies.
refusal-place-parent-unknown = The place it lies in is not known.
refusal-place-parent-wrong = A place of this kind cannot lie there.
refusal-place-bucket-wrong = The id must be in bucket { $bucket }, that of its zone.
refusal-place-bucket-wrong-next = Leave out the id; one is made for you.
refusal-credit-code-wrong = The unified social credit code is wrong ({ $problem ->
        [empty] it is missing
        [length] its length is wrong
        [character] it contains a character that is not allowed
        [date] its date of birth does not exist
        [check] its check digit does not fit
       *[other] { $problem }
    }).
refusal-credit-code-wrong-next = Compare all 18 characters with the business licence.
refusal-place-position-wrong = Latitude is within ±90°, longitude within ±180°.
refusal-place-capacity-wrong = Lanes and capacity are whole numbers, not below zero.
refusal-opening-hours-wrong = Write opening hours as 07:00-22:00.
refusal-lot-text-wrong = A lot needs a number (at most 60 characters) and a product (at most 120).
refusal-lot-code-taken = Lot { $code } of this kind is registered already.
refusal-lot-recalled-already = This lot was recalled already.
refusal-reason-missing = State a reason.
refusal-person-shredded-already = This person's personal data was destroyed already.
refusal-person-code-unreadable = This is not a personal code.
refusal-person-code-unreadable-next = Scan again, or find the person by document.
refusal-person-code-forged = This personal code was not issued by this installation.
refusal-person-code-forged-next = Check the person's document and find or register them by it.
refusal-person-field-wrong = { $field ->
        [name] Name
        [document_type] Document type
        [document_number] Document number
        [phone] Phone
        [address] Address
        [zone] Zone code
        [enterprise_code] Unified social credit code
        [tag] Tags
       *[other] { $field }
    }: { $problem ->
        [empty] it is missing
        [length] its length is wrong
        [character] it contains a character that is not allowed
        [date] its date of birth does not exist
        [check] its check digit does not fit
       *[other] { $problem }
    }.
refusal-person-field-wrong-next = Compare with the document and correct it.
refusal-import-column-missing = No column was recognised for “{ $field ->
        [name] Name
        [document_type] Document type
        [document_number] Document number
        [phone] Phone
        [address] Address
        [zone] Zone code
        [enterprise_code] Unified social credit code
        [tag] Tags
       *[other] { $field }
    }”.
refusal-import-column-missing-next = Add a header to the file (name, document number, zone) and upload it again.
refusal-import-column-beyond = The file has no column { $column }.
refusal-import-file-wrong = The file cannot be read: { $problem }
refusal-import-file-missing = Choose a file.
refusal-import-nothing = Nothing in the file is new or changed.
refusal-import-gone-with-errors = { $rows } rows have errors: memberships are not ended before every row can be read.
refusal-import-gone-with-errors-next = Correct the rows listed, or import without ending memberships.
refusal-import-undone-already = This import was undone already.
refusal-import-numbers-used-up = All device numbers for imports are used up.
refusal-import-fold-slow = The data is recorded, but the pages do not show all of it yet.
refusal-import-fold-slow-next = Wait { $seconds } seconds; do not import again.
refusal-uploads-full = Too many files are being imported at once.
refusal-uploads-full-next = Try again in { $seconds } seconds.
refusal-upload-gone = This upload is no longer held.
refusal-upload-gone-next = Upload the file again; nothing was saved.
refusal-upload-not-judged = The check of this file has not finished, or the import has started already.
refusal-shred-unconfirmed = Confirm that the data is to be destroyed.
