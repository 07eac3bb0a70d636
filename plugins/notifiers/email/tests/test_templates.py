"""People's own words in a mail, and what becomes of them when a template fails."""

from email import policy
from email.parser import BytesParser

import pytest
from aiops_notifier_email import EmailConfig, EmailNotifier

from aiops_core import Context, UserError, replace
from aiops_core.testing.chat_bench import NOON, REPORT
from aiops_core.testing.smtp import SmtpServer


@pytest.fixture
def mail_of(tmp_path):
    def send(report=REPORT, **templates):
        for name, text in templates.items():
            path = tmp_path / "words" / f"{name.replace('_', '.')}.j2"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        with SmtpServer() as server:
            config = EmailConfig(
                to=["ann@example.org"],
                host="127.0.0.1",
                port=server.port,
                security="none",
                templates="words",
                attach=0,
            )
            notifier = EmailNotifier(config, Context(directory=tmp_path, clock=lambda: NOON))
            notifier.start()
            notifier.notify(report)
        mail = BytesParser(policy=policy.default).parsebytes(server.messages[0].content)
        assert mail["Bcc"] is None
        text, page = (part.get_content() for part in mail.iter_parts())
        return mail["Subject"], text.replace("\r\n", "\n"), page

    return send


def test_templates_take_the_place_of_subject_text_and_page(mail_of):
    subject, text, page = mail_of(
        subject_txt="{{ report.pipeline }} is ill: {{ report.incident.count }} times",
        body_txt="Cause: {{ report.analysis.root_cause }}\n",
        body_html="<h1>{{ outline.title }}</h1>",
    )

    assert subject == "shop is ill: 3 times"
    assert text.strip() == "Cause: Nobody checks for a missing price."
    assert page.strip() == "<h1>An item without a price stops the checkout</h1>"


def test_what_has_no_template_keeps_the_built_in_words(mail_of):
    subject, text, page = mail_of(body_txt="Good morning.\n\n{{ built_in }}")

    assert subject == "[CRITICAL] shop: An item without a price stops the checkout"
    assert text.startswith("Good morning.\n\nCRITICAL · new · ×3\n")
    assert "<!doctype html>" in page.lower()


def test_a_log_cannot_write_markup_code_or_headers(mail_of):
    evil = "<script>x</script> {{ 7 * 7 }}\r\nBcc: e@example.org =?utf-8?q?x=0ABcc=3A_e?="

    subject, _, page = mail_of(
        replace(REPORT, title=evil), subject_txt="{{ report.title }}", body_html="<p>{{ report.title }}</p>"
    )

    assert subject.startswith("<script>x</script> {{ 7 * 7 }} Bcc: e@example.org = ?utf-8?q")
    assert "&lt;script&gt;" in page
    assert "49" not in page


@pytest.mark.parametrize(
    "template",
    [
        "{{ report.no_such_thing }}",
        "{{ 1 / 0 }}",
        "{{ report.title.encode('no-such-code') }}",
        "{{ 'a' + 1 }}",
        "{% include 'x' %}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{% for n in range(10 ** 9) %}x{% endfor %}",
        "{% for n in range(99999) %}{% for m in range(99999) %}xxxxxxxx{% endfor %}{% endfor %}",
    ],
)
def test_a_template_that_fails_gives_way_to_the_built_in_words(mail_of, template, caplog):
    _, text, _ = mail_of(body_txt=template)

    assert text.startswith("CRITICAL · new · ×3\n")
    assert "templates: body.txt.j2: " in caplog.text


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ (''|attr('__class__')).__mro__ }}",
        "{{ ['']|map(attribute='__class__')|list|first }}",
        "{{ '{0.__class__.__mro__}'.format('') }}",
        "{{ '{0.__class__}'.format_map({'0': ''}) }}",
        "{{ outline.__init__.__globals__ }}",
        "{{ report.items.__self__ }}{{ report.items.__func__.__globals__ }}",
        "{{ lipsum.__globals__['os'].environ }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context.environment.loader }}",
        "{% import 'os' as os %}{{ os.environ }}",
        "{% include '../secret.txt' %}",
        "{% include '/etc/passwd' %}",
        "{{ report.update({'title': 'mine'}) }}",
        "{{ report.clear() }}",
        "{% do report.clear() %}",
        "{{ built_in.__len__.__self__ }}",
        "{{ (lambda: 1)() }}",
    ],
)
def test_a_template_reaches_nothing_but_what_it_is_given_and_changes_nothing(
    mail_of, template, tmp_path, monkeypatch
):
    monkeypatch.setenv("PASSWORD", "swordfish")
    (tmp_path / "secret.txt").write_text("swordfish")

    try:
        subject, text, page = mail_of(body_txt=template, body_html="<p>{{ report.title }}</p>")
    except UserError as refused:  # no syntax of a template
        assert "body.txt.j2:1: " in str(refused)
        return

    assert text.startswith("CRITICAL · new · ×3\n")
    assert "An item without a price stops the checkout" in page
    assert "swordfish" not in subject + text + page


@pytest.mark.parametrize(
    "said", ["{{ 7 * 7 }}", "{% for x in [1] %}49{% endfor %}", "{{ ''.__class__ }}", "%(x)s {0}"]
)
def test_what_a_log_says_is_never_taken_for_a_template(mail_of, said):
    subject, text, page = mail_of(
        replace(REPORT, title=said, text=said),
        subject_txt="{{ report.title }}",
        body_txt="{{ report.text }}|{{ outline.title }}",
        body_html="<p>{{ report.title }}|{{ built_in }}</p>",
    )

    assert subject == said
    assert text.strip() == f"{said}|{said}"
    assert "49" not in page.replace(said, "")


def test_a_template_that_cannot_be_read_is_found_at_start(mail_of, tmp_path):
    with pytest.raises(UserError) as caught:
        mail_of(body_txt="one\n{{ report.title")

    assert str(caught.value).startswith(f"templates: {tmp_path / 'words' / 'body.txt.j2'}:2: ")
    assert str(caught.value).endswith(". Mend the template.")


def test_a_directory_without_templates_is_found_at_start(mail_of, tmp_path):
    with pytest.raises(UserError) as caught:
        mail_of()

    assert str(caught.value) == (
        f"templates: {tmp_path / 'words'}: no template in it. "
        "Write one of subject.txt.j2, body.txt.j2, body.html.j2."
    )
