"""Column names that are composed of a word for a name and a word for a person: nameFirst, host_name, Kundenname,
patVName.

Words are taken from eight languages and from common abbreviations. A word without separators is split into known words.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from synthcli.columns.words import listed

Part = Literal["name", "given", "family", "person", "thing", "filler", ""]
LONGEST = 40  # letters of a word that is split
_NAME = listed("""
    name names nm nme nam nom noms nombre nombres nome nomes naam namen nazwa nazwy
    """)
_GIVEN = listed("""
    first given fore vor christian fname fnm firstname forename givenname vorname vornamen vname rufname prenom prenoms
    pila primernombre voornaam voornamen imie imiona primo primeironome proprio middle mid mname second zweit deuxieme
    segundo secondo tweede
    """)
_FAMILY = listed("""
    last family sur nach maiden birth geburts lname lnm lastname surname familyname nachname nname nachnahme zuname
    familienname familien famille usage apellido apellidos apell primer paterno materno cognome achternaam achter
    familie naissance nascita nacimiento nazwisko nazwiska rodowe sobrenome apelido ultimo
    """)
_PERSON = listed("""
    patient patients pat pt pac pts customer customers cust cus client clients clt player players plyr host hosts guest
    guests owner user users usr member members mbr person persons people pers employee employees emp staff worker
    student students stud pupil teacher tutor instructor lecturer professor doctor doctors dr physician doc nurse
    surgeon clinician therapist attending practitioner provider midwife dentist pharmacist caregiver carer guardian
    parent mother father mom dad spouse husband wife partner child kid kin sibling son daughter relative emergency
    contact contacts author authors reviewer reader editor writer publisher passenger passengers traveler traveller
    driver drivers pilot captain rider tenant landlord resident occupant buyer seller purchaser payer payee beneficiary
    recipient sender receiver holder cardholder accountholder policyholder insured insurant applicant candidate nominee
    employer manager supervisor leader boss head chief director coach trainer referee umpire winner runner athlete
    swimmer skater boxer fighter participant subject respondent interviewer interviewee witness victim suspect defendant
    plaintiff judge lawyer attorney agent broker rep representative salesperson salesrep seller consultant advisor
    officer inspector operator technician engineer analyst creator uploader poster poet donor volunteer sponsor lead
    subscriber follower friend personal signer signatory voter citizen deceased speaker actor actress singer musician
    composer painter sculptor nanny babysitter cleaner courier rider lessor lessee borrower lender debtor
    kunde kunden patientin patienten mitarbeiter mitarbeiterin personen nutzer benutzer teilnehmer versicherter
    versicherten versicherungsnehmer bewohner bewerber schuler lehrer arzt arztin arzte hausarzt behandler therapeut
    pfleger pflegekraft angehoriger angehorige betreuer ansprechpartner kontaktperson kontakt gast gastgeber eigentumer
    besitzer inhaber mieter vermieter fahrer spieler autor verfasser empfanger absender besteller kaufer verkaufer
    mutter vater kind ehemann ehefrau ehepartner halter zeuge richter anwalt zahler glaubiger schuldner
    patiente clientele clients assure assures adherent salarie salaries employe eleve etudiant enseignant medecin
    infirmier infirmiere chirurgien mere pere conjoint enfant parent proprietaire locataire hote invite voyageur
    passager conducteur joueur auteur destinataire expediteur acheteur vendeur beneficiaire titulaire responsable
    gestionnaire personne utilisateur
    paciente pacientes cliente clientes usuario usuarios empleado alumno estudiante profesor medico medica enfermera
    cirujano madre padre conyuge hijo propietario inquilino anfitrion huesped viajero pasajero conductor jugador autor
    destinatario remitente comprador vendedor beneficiario titular responsable trabajador contacto persona
    pazienti paziente utente dipendente studente insegnante infermiere chirurgo coniuge figlio proprietario inquilino
    ospite viaggiatore passeggero conducente giocatore autore destinatario mittente acquirente venditore intestatario
    contatto lavoratore
    klant klanten patienten medewerker leerling arts huisarts verpleegkundige moeder vader partner kind eigenaar huurder
    gast reiziger passagier bestuurder speler auteur ontvanger afzender koper verkoper contactpersoon persoon gebruiker
    pacjent pacjenta klient klienta pracownik pracownika uczen nauczyciel lekarz lekarza pielegniarka matka ojciec
    dziecko wlasciciel najemca gosc pasazer kierowca zawodnik odbiorca nadawca kupujacy sprzedawca osoba osoby
    uzytkownik
    utilizador empregado funcionario aluno estudante enfermeira cirurgiao mae pai filho inquilino anfitriao hospede
    passageiro motorista jogador pessoa contato contacto
    """)
_FILLER = listed("""
    str txt vc vch sz s c f l p t v n x in out new old orig original raw clean full complete completo complet legal
    preferred pref display the of and de du des d der die das la le el los las del da do di van von is e y et und i
    i en o a col fld field dim src tmp my their en1 1st 2nd std norm cleaned upper lower en
    """)
THINGS = listed("""
    product company firm file table event item brand store shop city country school team column class project model drug
    species plan group category dish food variable field feature package domain server app software device street state
    region county district department course book title song movie film artist game label tag type function module
    schema database index node process service job menu market station airport hotel restaurant bank fund stock
    currency unit org organisation organization business vendor supplier account campaign channel segment produkt firma
    datei artikel marke produit entreprise producto empresa prodotto azienda produto datum neighborhood neighbourhood
    listing property building hospital clinic ward room site area zone place location village town park river lake
    mountain ship vessel boat vehicle car dog cat pet horse animal bird breed plant tree flower gene protein disease
    diagnosis storm hurricane planet star dataset sheet script branch repo repository network router machine array
    klinik krankenhaus abteilung station stadt ort land strasse schule verein gruppe
    ville pays rue ecole service hopital ciudad pais escuela calle citta paese scuola stad straat miasto kraj szkola
    cidade escola rua estacao
    """)
_ROLES_ALONE = frozenset(_PERSON) - frozenset(
    listed("""
    pat pt pac pts cust cus clt plyr mbr pers emp doc dr rep stud head chief lead partner kind arts kid kin child son
    personal emergency contact kontakt contacto contatto contato user users usr usuario usuarios utente provider
    people person persons personen parent gast host hosts guest guests
    member members customer customers client clients cliente clientes klient klant staff friend titular responsable
    subject participant respondent employer usage subscriber follower students employees
    """)
)  # words that stand alone for a person's name, at the end of a column name
_ENDINGS = ("s", "es", "n", "en")  # between the parts of a German or Dutch compound
_SHORT = frozenset(listed("fname lname vname nname mname sname fnm lnm"))  # Kundenname is no kunde + nname
_INITIALS: dict[str, Part] = {"f": "given", "v": "given", "l": "family"}  # of f_name, patVName
_KNOWN: dict[str, Part] = {
    **dict.fromkeys(_FILLER, "filler"),
    **dict.fromkeys(THINGS, "thing"),
    **dict.fromkeys(_PERSON, "person"),
    **dict.fromkeys(_FAMILY, "family"),
    **dict.fromkeys(_GIVEN, "given"),
    **dict.fromkeys(_NAME, "name"),
}


def person(words: tuple[str, ...]) -> tuple[str, str] | None:
    """The kind of a column name that a word for names makes telling (first_name, last_name or name), and the phrase;
    None if it has none, or is about a thing or about other attributes.
    """
    parts = parsed(words)
    kinds = {kind for _, kind in parts}
    if "name" not in kinds and not _glued(words, kinds):
        return None
    if about_a_thing(words):
        return None
    phrase = "".join(word for word, kind in parts if kind not in ("", "filler"))
    if {"given", "family"} <= kinds:
        return "name", phrase
    if "given" in kinds:
        return "first_name", phrase
    if "family" in kinds:
        return "last_name", phrase
    return ("name", phrase) if "person" in kinds else None


def _glued(words: tuple[str, ...], kinds: set[Part]) -> bool:
    """Whether a word that is itself a name, such as vorname, is only split from what it is about: patientVorname."""
    return bool(_WHOLE & {word for word, _ in parsed(words)}) and bool(kinds & {"given", "family"})


def role_alone(words: tuple[str, ...]) -> str | None:
    """The word for a person at the end of a column name, such as the physician of attending_physician, or the whole of
    created_by; None without one.
    """
    if len(words) > 1 and words[-1] in ("by", "to") and words[-2] in _DONE:
        return "".join(words[-2:])
    last = parsed(words)[-1:] if words else []
    return last[0][0] if last and last[0][0] in _ROLES_ALONE and not about_a_thing(words) else None


_WHOLE = frozenset(
    word for word in (*_GIVEN, *_FAMILY) if len(word) > 4 and word.endswith(("name", "nom", "naam", "nome", "namen"))
) | frozenset(
    listed("imie imiona nazwisko nazwiska cognome apellido apellidos apelido sobrenome prenoms fnm lnm")
)  # words that are names by themselves
_DONE = frozenset(
    listed(
        "created updated modified reviewed signed entered approved submitted assigned edited written authored uploaded"
    )
)


@cache
def about_a_thing(words: tuple[str, ...]) -> bool:
    """Whether a column name is about a thing: the qualifier of `name`, or the last word of the kind, is a thing and no
    person. company_contact_name is a person, customer_company_name is a thing.
    """
    kinds: list[Part] = [kind for _, kind in parsed(words) if kind not in ("", "filler")]
    if "thing" not in kinds:
        return False
    if "name" in kinds:
        at = kinds.index("name")
        before, after = kinds[at - 1] if at else None, kinds[at + 1] if at + 1 < len(kinds) else None
        beside = before or after
        return beside == "thing"
    told = [kind for kind in kinds if kind in ("thing", "person")]
    return told[-1] == "thing"


@cache
def parsed(words: tuple[str, ...]) -> tuple[tuple[str, Part], ...]:
    """The words of a column name with what they say; glued words are split where all of their pieces are known."""
    out: list[tuple[str, Part]] = []
    for word, after in zip(words, (*words[1:], "")):
        if word in _INITIALS and after in ("name", "nm", "nam"):
            out.append((word, _INITIALS[word]))
        elif word in _KNOWN or word.isdigit():
            out.append((word, _KNOWN.get(word, "filler")))
        else:
            out += _split(word) or [(word, "")]
    return tuple(out)


def _split(word: str) -> list[tuple[str, Part]]:
    """A glued word as known words of three letters or more, one of them for a name; empty without such a split."""
    if not 6 <= len(word) <= LONGEST:
        return []
    best: list[list[tuple[str, Part]] | None] = [[], *[None] * len(word)]
    for end in range(1, len(word) + 1):
        for start in range(end):
            done, piece = best[start], word[start:end]
            kind = _KNOWN.get(piece) if len(piece) >= 3 and piece not in _SHORT else None
            if kind is None and piece in _ENDINGS and start > 0 and end < len(word):
                kind = "filler"
            if done is None or kind is None:
                continue
            known = best[end]
            if known is None or len(done) + 1 < len(known):
                best[end] = [*done, (piece, kind)]
    found = best[len(word)] or []
    told = {kind for _, kind in found}
    return found if told & {"name", "given", "family"} and len(told - {"filler"}) > 1 else []
