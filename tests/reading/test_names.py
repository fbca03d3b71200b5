"""Whom a chat means by 小王, 王工 or 王晓丽."""

from hypothesis import given
from hypothesis import strategies as st

from reading.name_forms import split
from reading.names import Known, mentions, resolve

LILI = Known("u1", "王小丽")
QIANG = Known("u2", "王志强")
OUYANG = Known("u3", "欧阳文静")
FANG = Known("u4", "方敏", aliases=("敏敏姐", "Minnie"))
LI = Known("u5", "李建国")
EVERYBODY = (LILI, QIANG, OUYANG, FANG, LI)


def keys(mention: str, people: tuple[Known, ...] = EVERYBODY) -> list[str]:
    return [match.person.key for match in resolve(mention, people)]


def test_a_full_name_means_one_person_with_or_without_at_sign_and_title() -> None:
    for said in ("王小丽", "@王小丽", "@ 王小丽", "王小丽老师", "王小丽经理"):
        assert keys(said) == ["u1"], said


def test_a_given_name_is_enough() -> None:
    assert keys("小丽") == ["u1"]
    assert keys("文静") == ["u3"]
    assert keys("建国哥") == ["u5"]


def test_nickname_and_title_forms_find_the_surname() -> None:
    for said in ("小方", "老方", "方工", "方姐", "方哥", "方经理", "方总", "方老师", "方师傅", "小方师傅"):
        assert keys(said) == ["u4"], said


def test_a_compound_surname_is_one_surname() -> None:
    assert split("欧阳文静") == ("欧阳", "文静")
    assert keys("欧阳经理") == ["u3"]
    assert keys("小欧阳") == ["u3"]


def test_a_form_of_the_given_name_is_understood() -> None:
    assert keys("阿强") == ["u2"]
    assert keys("强哥") == ["u2"]


def test_two_people_of_one_surname_are_equally_likely() -> None:
    first, second = resolve("小王", EVERYBODY)

    assert {first.person.key, second.person.key} == {"u1", "u2"}
    assert first.score == second.score


def test_two_people_of_one_name_are_equally_likely() -> None:
    twin = Known("u9", "王小丽")

    scores = [match.score for match in resolve("王小丽", (*EVERYBODY, twin))]

    assert scores == [1.0, 1.0]


def test_an_alias_is_as_good_as_the_name() -> None:
    assert resolve("敏敏姐", EVERYBODY)[0].way == "alias"
    assert keys("minnie") == ["u4"]


def test_a_wrong_character_is_forgiven_when_one_person_sounds_so() -> None:
    assert keys("王晓丽") == ["u1"]
    assert keys("王晓莉") == ["u1"]
    assert keys("wangxiaoli") == ["u1"]
    assert keys("王自强") == ["u2"]


def test_a_wrong_character_is_not_forgiven_when_two_people_sound_so() -> None:
    assert keys("王晓丽", (LILI, Known("u8", "汪小莉"))) == []


def test_a_nickname_is_never_guessed_by_sound() -> None:
    assert keys("小汪") == []
    assert keys("王") == []


def test_what_fits_as_written_is_preferred_to_what_sounds_alike() -> None:
    assert keys("王晓丽", (LILI, Known("u8", "王晓丽"))) == ["u8"]


def test_nobody_fits_an_empty_mention_or_a_stranger() -> None:
    assert keys("") == []
    assert keys("@") == []
    assert keys("赵六") == []


def test_mentions_are_found_in_a_sentence_with_their_spans() -> None:
    text = "@王小丽 今天和方工、阿强一起盘点，欧阳文静没来"

    found = mentions(text, EVERYBODY)

    assert [text[m.start : m.end] for m in found] == ["王小丽", "方工", "阿强", "欧阳文静"]
    assert [m.matches[0].person.key for m in found] == ["u1", "u4", "u2", "u3"]


def test_a_homophone_in_a_sentence_is_found_when_one_character_is_right() -> None:
    text = "给王晓丽记一条"

    found = mentions(text, EVERYBODY)

    assert [(text[m.start : m.end], m.matches[0].person.key) for m in found] == [("王晓丽", "u1")]


def test_a_given_name_that_is_a_word_needs_a_place_for_a_person() -> None:
    assert mentions("建国以来最大的单子", EVERYBODY) == ()
    assert [m.matches[0].person.key for m in mentions("提醒建国回复", EVERYBODY)] == ["u5"]


def test_words_that_look_like_nicknames_name_nobody() -> None:
    people = (Known("u1", "王时"), Known("u2", "王组"), Known("u3", "王师"), Known("u4", "王板"), Known("u5", "施明"))

    assert mentions("小时 小组 老师 老板 施工 员工", people) == ()


@given(st.text(), st.lists(st.text(max_size=5), max_size=5))
def test_any_mention_and_any_directory_are_answered(mention: str, names: list[str]) -> None:
    people = tuple(Known(str(number), name) for number, name in enumerate(names))

    scores = [match.score for match in resolve(mention, people)]

    assert scores == sorted(scores, reverse=True)


def test_a_name_at_the_end_of_the_text_ends_with_the_text() -> None:
    assert [(mention.start, mention.end) for mention in mentions("找小丽", EVERYBODY)] == [(1, 3)]


@given(st.text(alphabet="王小丽方工经理老阿强，@ 给和记一条abc"))
def test_spans_lie_in_the_text_in_order_and_name_somebody(text: str) -> None:
    end = 0
    for mention in mentions(text, EVERYBODY):
        assert end <= mention.start < mention.end <= len(text)
        assert mention.matches
        end = mention.end
