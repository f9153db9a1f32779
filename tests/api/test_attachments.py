"""Photos and PDFs of a need: checked, the same for all, seen by nobody else, and forgotten."""

import io
import re
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import func, select

from api.app import create_app
from api.errors import Conflict, Invalid, NotFound
from api.runtime import Runtime
from api.services import (
    attachments,
    broadcasts,
    closing,
    links,
    needs,
    proof,
    retention,
    signin,
    uploads,
)
from api.services.desk import IMPORT, Actor, Desk
from api.services.needs import NeedDraft
from api.services.uploads import Upload
from api.web import COOKIE
from models import Attachment, Correction, Lead, Message, Need, Person, now
from models.message import MessageKind
from tests.conftest import World

TEXT = "Wij zoeken iemand die elke week onze lakens en handdoeken wast, strijkt en opplooit."
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
GPS, MAKE, ORIENTATION = 0x8825, 0x010F, 0x0112


def photo(
    kind: str = "JPEG", size: tuple[int, int] = (3000, 1500), *, mode: str = "RGB", turn: int = 1
) -> bytes:
    """A photo as a telephone makes it, with its maker and the place where it was taken."""
    picture = Image.new(mode, size, 120 if mode in ("L", "P") else (200, 40, 40, 128)[: len(mode)])
    exif = Image.Exif()
    exif[MAKE] = "Fictieve Telefoon"
    exif[ORIENTATION] = turn
    exif.get_ifd(GPS)[2] = (51.0, 1.0, 40.0)
    target = io.BytesIO()
    picture.save(target, kind, exif=exif)
    return target.getvalue()


def submit(desk: Desk, world: World, *, proven: bool = True) -> Need:
    draft = NeedDraft(
        text=TEXT,
        place="2800 Mechelen",
        firm_name="Crèche De Zandkorrel",
        contact_name="Finn",
        contact_email=world.finn.email,
    )
    return needs.submit(desk.as_actor(world.finn), draft, proven=proven)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_keeps_what_is_seen_and_nothing_of_the_camera(
    desk: Desk, world: World, kind: str
) -> None:
    need = submit(desk, world)
    sent = photo(kind, turn=6)
    assert b"Fictieve" in sent
    finn = desk.as_actor(world.finn)
    (kept,) = attachments.add(finn, need.id, [Upload("IMG 1.HEIC.jpg", sent)])
    desk.session.expire_all()
    kept = attachments.find(finn, need.id, kept.id)
    for content in (kept.content, kept.small or b""):
        assert b"Fictieve" not in content
        with Image.open(io.BytesIO(content)) as again:
            assert again.format == "JPEG"
            assert not again.getexif()
            assert again.height > again.width  # stood upright, as it was taken
    assert (kept.width, kept.height) == (1000, 2000)
    assert kept.size == len(kept.content)


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK"])
def test_every_kind_of_colour_is_taken(desk: Desk, world: World, mode: str) -> None:
    data = photo("JPEG" if mode == "CMYK" else "PNG", (40, 30), mode=mode)
    kept = uploads.checked(desk.as_actor(world.finn), Upload("x", data))
    with Image.open(io.BytesIO(kept.content)) as again:
        assert again.mode == "RGB"
        if mode == "RGBA":
            assert min(again.getpixel((5, 5))) > 100  # type: ignore[arg-type,type-var]


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("leeg.jpg", b"", "file_empty"),
        ("page.jpg", b"<script>alert(1)</script>", "file_kind"),
        ("page.pdf", b"<html>%PDF-1.7 %%EOF", "file_kind"),
        ("run.exe", b"MZ\x90\x00" * 40, "file_kind"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "file_kind"),
        ("half.pdf", PDF[:20], "file_broken"),
        ("half.jpg", photo()[:4000], "file_broken"),
        ("fake.png", b"\x89PNG\r\n\x1a\n" + b"x" * 50, "file_broken"),
        ("sound.webp", b"RIFF\x00\x00\x00\x00WAVEfmt ", "file_broken"),
        ("large.pdf", PDF[:9] + b" " * 5_000_000 + PDF[9:], "file_too_large"),
        ("large.jpg", photo(size=(9, 9)) + b" " * 10_000_000, "file_too_large"),
        ("bomb.png", photo("PNG", (9000, 9000), mode="L"), "file_broken"),
    ],
)
def test_what_is_no_photo_or_pdf_is_refused_by_its_bytes(
    desk: Desk, world: World, name: str, data: bytes, code: str
) -> None:
    need = submit(desk, world)
    with pytest.raises(Invalid) as refused:
        attachments.add(desk.as_actor(world.finn), need.id, [Upload(name, data)])
    assert refused.value.code == code
    assert refused.value.values["field"] == "files"
    assert attachments.of_need(desk, need.id) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\Users\\Jan\\plan.PDF", "plan.pdf"),
        ('a"b\r\nX: y.pdf', "a b X y.pdf"),
        ("ruimte \u202efdp.exe", "ruimte fdp.pdf"),
        ("", "bestand.pdf"),
        ("é" * 300 + ".pdf", "é" * 90 + ".pdf"),
    ],
)
def test_names_are_only_names(desk: Desk, given: str, kept: str) -> None:
    assert uploads.checked(desk, Upload(given, PDF)).name == kept


def test_all_recipients_get_the_same_files_and_hear_of_changes_at_once(
    desk: Desk, world: World
) -> None:
    early = replace(desk, at=now() - timedelta(hours=1))
    need = submit(early, world)
    finn, cato = early.as_actor(world.finn), early.as_actor(world.cato)
    (first,) = attachments.add(finn, need.id, [Upload("kast.jpg", photo())])
    assert desk.session.scalar(select(func.count(Correction.id))) == 0
    broadcast = broadcasts.approve(cato, need.id)
    lead = desk.session.scalars(select(Lead)).one()
    company = early.as_actor(world.mira)
    assert broadcast.content["attachments"] == [
        {"id": first.id, "kind": "photo", "name": "kast.jpg", "size": first.size,
         "hash": first.hash}
    ]  # fmt: skip
    assert attachments.of_lead(company, lead) == []  # not released yet
    company, finn = replace(company, at=now()), replace(finn, at=now())
    assert attachments.of_lead(company, lead) == [first]
    (plan,) = attachments.add(finn, need.id, [Upload("plan.pdf", PDF)])
    assert attachments.of_lead(company, lead) == [first, plan]
    attachments.remove(finn, need.id, first.id)
    assert attachments.of_lead(company, lead) == [plan]
    told = desk.session.scalars(select(Correction.text).order_by(Correction.number)).all()
    assert told == ["Toegevoegd bij de vraag: plan.pdf.", "Weggehaald bij de vraag: kast.jpg."]
    desk.session.flush()
    mails = desk.session.scalars(
        select(Message.text).where(Message.kind == MessageKind.CORRECTION).order_by(Message.id)
    ).all()
    assert all(words in mail for words, mail in zip(told, mails, strict=True))
    failed = [c.name for c in proof.verify_broadcast(desk, broadcast.id) if not c.ok]
    assert failed == ["delivered"]  # no worker runs here
    closing.withdraw(finn, need.id)
    with pytest.raises(Conflict):
        attachments.add(finn, need.id, [Upload("laat.pdf", PDF)])
    with pytest.raises(Conflict):
        attachments.remove(finn, need.id, plan.id)


def test_a_file_of_after_the_broadcast_is_not_in_its_leads(desk: Desk, world: World) -> None:
    """Who had the first broadcast sees what went with it, also when the need goes out anew."""
    early = replace(desk, at=now() - timedelta(hours=1))
    need = submit(early, world)
    broadcasts.approve(early.as_actor(world.cato), need.id)
    lead = desk.session.scalars(select(Lead)).one()
    closing.withdraw(early.as_actor(world.finn), need.id)
    needs.take_back(early.as_actor(world.cato), need.id)
    (fresh,) = attachments.add(early.as_actor(world.finn), need.id, [Upload("nieuw.pdf", PDF)])
    mira = replace(early.as_actor(world.mira), at=now())
    assert attachments.of_lead(mira, lead) == []
    with pytest.raises(NotFound):
        attachments.find_of_lead(mira, lead, fresh.id)


def test_nobody_fills_the_disk(desk: Desk, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    need = submit(desk, world)
    finn = desk.as_actor(world.finn)
    with pytest.raises(Invalid, match="at most 5"):
        attachments.add(finn, need.id, [Upload(f"{n}.pdf", PDF) for n in range(6)])
    attachments.add(finn, need.id, [Upload(f"{n}.pdf", PDF) for n in range(4)])
    with pytest.raises(Invalid, match="at most 5"):
        attachments.add(finn, need.id, [Upload(f"{n}.pdf", PDF) for n in range(2)])
    monkeypatch.setattr(attachments, "MOST_OF_FIRM", 5 * len(PDF) - 1)
    with pytest.raises(Invalid, match="too much"):
        attachments.add(finn, need.id, [Upload("5.pdf", PDF)])
    monkeypatch.setattr(attachments, "MOST_UNCONFIRMED", 2 * len(PDF))
    attachments.hold(desk, Upload("1.pdf", PDF))
    draft = submit(desk, world, proven=False)
    attachments.add(finn, draft.id, [Upload("2.pdf", PDF)])
    with pytest.raises(Invalid, match="too much"):
        attachments.hold(desk, Upload("3.pdf", PDF))


def test_files_are_forgotten_with_the_need_and_when_nobody_sent_the_form(
    desk: Desk, world: World
) -> None:
    need = submit(desk, world)
    finn = desk.as_actor(world.finn)
    attachments.add(finn, need.id, [Upload("kast.jpg", photo(size=(30, 20)))])
    (file,) = retention.export(finn, world.finn.person_id or "")["attachments"]
    assert (file["name"], file["need_id"]) == ("kast.jpg", need.id)
    assert "content" not in file
    attachments.hold(desk, Upload("1.pdf", PDF))
    waiting = submit(desk, world, proven=False)
    attachments.add(finn, waiting.id, [Upload("2.pdf", PDF)])
    count = select(func.count(Attachment.id))
    for days, left in ((0, 3), (2, 2), (31, 1)):
        later = replace(desk, at=desk.at + timedelta(days=days, hours=1))
        for name in retention.outdated(later):
            retention.tidy(later, name)
        assert desk.session.scalar(count) == left, days
    closing.withdraw(finn, need.id)
    retention.anonymise(desk, need.id)
    assert desk.session.scalar(count) == 0


# The pages.


@dataclass
class House:
    """The service with people signed in."""

    runtime: Runtime
    world: World

    def desk(self, session: object, actor: Actor = IMPORT) -> Desk:
        return Desk(session, self.runtime, actor)  # type: ignore[arg-type]

    def browser(self, actor: Actor | None) -> TestClient:
        client = TestClient(create_app(self.runtime), follow_redirects=False)
        if actor is not None:
            with self.runtime.sessions.begin() as session:
                desk = self.desk(session)
                person = session.get_one(Person, actor.person_id)
                secret = signin.new_link(desk, person).rpartition("/")[2]
                session.flush()
                client.cookies.set(COOKIE, signin.redeem(desk, secret)[0])
        return client


@pytest.fixture
def house(sqlite_runtime: Runtime, sqlite_world: World) -> House:
    return House(sqlite_runtime, sqlite_world)


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


FORM = {
    "text": TEXT,
    "place": "2800",
    "firm_name": "Bakkerij De Korst",
    "contact_name": "Bea",
    "contact_email": "bea@korst.example",
}


def test_the_form_loses_neither_words_nor_files_when_something_is_wrong(house: House) -> None:
    nobody = house.browser(None)
    files = [
        ("files", ("kast.jpg", photo(size=(60, 40)), "image/jpeg")),
        ("files", ("virus.exe", b"MZ\x90", "image/jpeg")),
    ]
    page = nobody.post("/needs/new", data=FORM | {"contact_email": "bea"}, files=files)
    assert page.status_code == 422
    assert "virus.exe is geen foto" in page.text
    assert "Dit is geen volledig mailadres" not in page.text  # one thing at a time: nothing sent
    kept = re.findall(r'name="kept" value="([^"]+)"', page.text)
    assert len(kept) == 1
    assert "Bakkerij De Korst" in page.text
    page = nobody.post("/needs/new", data=FORM | {"contact_email": "bea", "kept": kept})
    assert "Dit is geen volledig mailadres" in page.text
    assert re.findall(r'name="kept" value="([^"]+)"', page.text) == kept
    more = [("files", ("plan.pdf", PDF, "application/pdf"))]
    page = nobody.post("/needs/new", data=FORM | {"kept": kept, "press": "read"}, files=more)
    both = re.findall(r'name="kept" value="([^"]+)"', page.text)
    assert len(both) == 2
    forged = [*both, both[0][:-1] + "x"]
    sent = nobody.post("/needs/new", data=FORM | {"kept": forged})
    assert sent.status_code == 200
    assert "bea@korst.example" in sent.text
    with house.runtime.sessions.begin() as session:
        need = session.scalars(select(Need)).one()
        names = [each.name for each in attachments.of_need(house.desk(session), need.id)]
        assert names == ["kast.jpg", "plan.pdf"]
    again = nobody.post("/needs/new", data=FORM | {"kept": both, "press": "read"})
    assert 'name="kept"' not in again.text  # they went with the need


def test_a_held_file_can_be_taken_away(house: House) -> None:
    nobody = house.browser(None)
    files = [("files", ("kast.jpg", photo(size=(60, 40)), "image/jpeg"))]
    page = nobody.post("/embed/rivierenland", data=FORM | {"press": "read"}, files=files)
    (token,) = re.findall(r'name="kept" value="([^"]+)"', page.text)
    page = nobody.post("/embed/rivierenland", data=FORM | {"kept": token, "drop": token})
    assert page.status_code == 200
    assert 'name="kept"' not in page.text
    with house.runtime.sessions.begin() as session:
        assert session.scalars(select(Attachment.id)).all() == []
        assert session.scalars(select(Need.id)).all() == []


def test_only_who_may_see_the_need_gets_its_files_and_they_run_nothing(house: House) -> None:
    world = house.world
    with house.runtime.sessions.begin() as session:
        early = replace(house.desk(session), at=now() - timedelta(hours=1))
        need = submit(early, world)
        finn = early.as_actor(world.finn)
        picture, plan = attachments.add(
            finn, need.id, [Upload("kást.jpg", photo()), Upload("plan.pdf", PDF)]
        )
        broadcasts.approve(early.as_actor(world.cato), need.id)
        lead = session.scalars(select(Lead)).one()
        token = links.lead_link(early, lead).rpartition("/l/")[2]
        ids = (need.id, lead.id, picture.id, plan.id)
    need_id, lead_id, picture_id, plan_id = ids
    people = [None, world.finn, world.cato, world.mira, world.maud, world.otto]
    browsers = [house.browser(actor) for actor in people]
    expected = {
        f"/needs/{need_id}/attachments/{picture_id}": [401, 200, 200, 404, 404, 404],
        f"/needs/{need_id}/attachments/{need_id}": [401, 404, 404, 404, 404, 404],
        f"/leads/{lead_id}/attachments/{plan_id}": [401, 404, 403, 200, 404, 404],
        f"/l/{token}/attachments/{picture_id}": [200] * 6,
        f"/l/{token[:-1]}x/attachments/{picture_id}": [404] * 6,
        f"/l/{token}/attachments/{need_id}": [404] * 6,
    }
    for path, statuses in expected.items():
        assert [each.get(path).status_code for each in browsers] == statuses, path
    answer = browsers[1].get(f"/needs/{need_id}/attachments/{picture_id}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''k%C3%A1st.jpg"
    small = browsers[1].get(f"/needs/{need_id}/attachments/{picture_id}?small=1")
    assert len(small.content) < len(answer.content)
    answer = browsers[0].get(f"/l/{token}/attachments/{plan_id}")
    assert answer.content == PDF
    assert answer.headers["content-disposition"].startswith("attachment;")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert f"/l/{token}/attachments/{picture_id}" in browsers[0].get(f"/l/{token}").text


def test_a_copy_takes_along_what_is_ticked_and_only_of_ones_own(house: House) -> None:
    world = house.world
    with house.runtime.sessions.begin() as session:
        desk = house.desk(session, world.finn)
        need = submit(desk, world)
        first, second = attachments.add(
            desk, need.id, [Upload("kast.jpg", photo(size=(60, 40))), Upload("plan.pdf", PDF)]
        )
        ids = (need.id, first.id, second.id)
    need_id, first_id, second_id = ids
    finn = house.browser(world.finn)
    page = finn.get(f"/needs/new?copy={need_id}").text
    assert re.findall(r'name="copied" value="(\w+)" checked', page) == [first_id, second_id]
    form = FORM | {"csrf": csrf(page), "firm_name": "Crèche De Zandkorrel"}
    form |= {"contact_email": world.finn.email, "copied_from": need_id, "copied": first_id}
    refused = finn.post("/needs/new", data=form | {"contact_name": ""})
    assert re.findall(r'name="copied" value="(\w+)" checked', refused.text) == [first_id]
    sent = finn.post("/needs/new", data=form)
    assert sent.status_code == 303
    fresh = sent.headers["location"].partition("?")[0].rpartition("/")[2]
    with house.runtime.sessions.begin() as session:
        (copied,) = attachments.of_need(house.desk(session), fresh)
        original = session.get_one(Attachment, first_id)
        assert (copied.name, copied.content) == ("kast.jpg", original.content)
        count = session.scalar(select(func.count(Need.id)))
    otto = house.browser(world.otto)
    stolen = form | {"csrf": csrf(otto.get("/account").text), "contact_email": "otto@x.example"}
    assert otto.post("/needs/new", data=stolen).status_code == 404
    assert house.browser(None).post("/needs/new", data=stolen).status_code == 404
    with house.runtime.sessions.begin() as session:
        assert session.scalar(select(func.count(Need.id))) == count


def test_the_firm_adds_and_takes_away_on_the_page_of_its_need(house: House) -> None:
    world = house.world
    with house.runtime.sessions.begin() as session:
        need_id = submit(house.desk(session), world).id
    finn = house.browser(world.finn)
    secret = csrf(finn.get(f"/needs/{need_id}").text)
    path = f"/needs/{need_id}/attachments"
    file = {"files": ("kast.jpg", photo(size=(60, 40)), "image/jpeg")}
    assert finn.post(path, files=file).status_code == 403  # no token of the form
    added = finn.post(path, data={"csrf": secret}, files=file)
    assert added.headers["location"] == f"/needs/{need_id}?done=attached#attachments"
    refused = finn.post(path, data={"csrf": secret}, files={"files": ("a.svg", b"<svg/>", "")})
    assert refused.status_code == 422
    assert 'id="files-error"' in refused.text
    large = PDF[:9] + b" " * 4_000_000 + PDF[9:]
    taken = finn.post(path, data={"csrf": secret}, files={"files": ("groot.pdf", large, "")})
    assert taken.status_code == 303
    nothing = finn.post(path, data={"csrf": secret})
    assert "Kies eerst" in nothing.text
    page = finn.get(f"/needs/{need_id}").text
    remove, other = re.findall(r'action="(/needs/\w+/attachments/\w+/remove)"', page)
    cato = house.browser(world.cato)
    assert remove in cato.get(f"/hub/needs/{need_id}").text
    otto = house.browser(world.otto)
    own = csrf(otto.get("/account").text)
    assert otto.post(remove, data={"csrf": own}).status_code == 404
    assert finn.post(remove, data={"csrf": secret}).status_code == 303
    page = finn.get(f"/needs/{need_id}").text
    assert other in page
    assert remove not in page
