"""An import that changes how many may be contacted says so, per channel and purpose."""

import re

from orchestration.quality.contactable import contactable_changes

REFUSED = (
    "update contactability set is_contactable = false where channel = 'email'"
    " and purpose = 'marketing' and hash(customer_id) % 20 in ({})"
)
FIRST_PUSH = (
    "insert into contactability by name select customer_id, 'push' as channel,"
    " 'marketing' as purpose, true as is_contactable, 'granted' as reason,"
    " 'r' as consent_receipt_id from dim_customers limit 7"
)


def test_a_change_of_more_than_a_twentieth_is_told_before_and_after(make_candidate, home):
    assert contactable_changes(home, make_candidate()) == [], "nothing was published yet"
    make_candidate().path.replace(home.published)
    changes = contactable_changes(home, make_candidate(after=[REFUSED.format("0, 1"), FIRST_PUSH]))
    (email, push) = changes
    said = re.fullmatch(
        r"Contactable by email for marketing: (\d+) people before, (\d+) after \((.\d+)%\)\.", email
    )
    assert said
    before, after, share = map(int, said.groups())
    assert 0.85 < after / before < 0.95
    assert share == round(100 * after / before) - 100
    assert push == "Contactable by push for marketing: 0 people before, 7 after."


def test_a_smaller_change_is_not_told(make_candidate, home):
    make_candidate().path.replace(home.published)
    assert contactable_changes(home, make_candidate()) == []
    fewer = "update contactability set is_contactable = false where hash(customer_id) % 50 = 0"
    assert contactable_changes(home, make_candidate(after=[fewer])) == []
