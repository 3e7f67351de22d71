"""Column names of personal data in eight languages (en, de, fr, es, it, nl, pt, pl) and common database abbreviations.

Phrases have no spaces or accents. A column name matches a phrase if some consecutive words of it, joined, equal the
phrase.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from synthcli.columns import words
from synthcli.columns.pii import person_headers

TELLING, PERHAPS = 0.9, 0.4  # strength of a name with hardly any other meaning, and of one that often has another
IF_TELLING = 0.5  # strength from which a name is telling
NAMES = frozenset({"name", "first_name", "last_name"})
IF_TWO = 0.4  # strength of a name that is evidence only if the column has two values


class Named(NamedTuple):
    """Evidence from a column's name: the kind, the confidence (0 to 1), and the matching phrase."""

    kind: str
    strength: float
    phrase: str


_SURE: dict[str, str] = {  # names with hardly any other meaning
    "email": "mailadr emailadr mailid emailid "
    "email emails mail emailaddress mailaddress emailaddr emailadresse mailadresse epost courriel "
    "adressemail adresseemail adressemel "
    "correo correoelectronico email1 indirizzoemail postaelettronica emailadres adresemail correioeletronico "
    "enderecoemail",
    "phone": "handynr rufnr mobilnr telnum telephon "
    "phone phones phonenumber phoneno telephone telephonenumber tel telno telnr mobile mobilephone "
    "mobilenumber cell cellphone cellnumber "
    "fax faxnumber msisdn landline telefon telefonnummer telefonnr handy handynummer mobil mobilnummer rufnummer "
    "festnetz telefax "
    "telephonefixe portable numerotelephone numtel telefono movil celular numerotelefono cellulare telefonino "
    "telefoon telefoonnummer "
    "mobiel gsm numertelefonu telkom komorka telefone telemovel fone whatsapp",
    "first_name": "firstname forename givenname fname christianname vorname vornamen rufname prenom prenoms "
    "nombredepila primernombre voornaam "
    "voornamen imie imiona primeironome nomeproprio",
    "last_name": "lastname surname familyname lname maidenname nachname familienname zuname geburtsname "
    "nomdefamille nomfamille nomusage "
    "apellido apellidos primerapellido segundoapellido cognome achternaam familienaam nazwisko sobrenome apelido "
    "ultimonome",
    "name": "fullname personname customername clientname patientname employeename contactname cardholder "
    "cardholdername accountholder "
    "kundenname vollername vollstandigername patientenname mitarbeitername ansprechpartner kontoinhaber "
    "nomcomplet nomprenom nometprenom "
    "nombrecompleto nombreyapellidos nombreyapellido nomecompleto nominativo volledigenaam klantnaam "
    "imieinazwisko imienazwisko "
    "nomecompleto nomecliente nombrecliente",
    "username": "twitterhandle instagramhandle instagramname githubuser telegramhandle "
    "username userlogin login loginname userid_name screenname nickname benutzername anmeldename "
    "benutzerkennung nutzername "
    "nomutilisateur pseudo identifiantutilisateur nombredeusuario nombreusuario nomeutente gebruikersnaam "
    "nazwauzytkownika nomeusuario "
    "nomeutilizador",
    "address": "adr anschr address homeaddress postaladdress mailingaddress billingaddress shippingaddress fulladdress "
    "deliveryaddress residence "
    "adresse anschrift wohnadresse postanschrift lieferadresse rechnungsadresse adressepostale domicile "
    "direccion domicilio direccionpostal "
    "indirizzo residenza adres woonadres adreszamieszkania endereco morada",
    "street": "street streetaddress streetname addressline addressline1 addr1 address1 strasse strassenname "
    "strassehausnummer rue nomrue voie "
    "calle "
    "nombrecalle viaresidenza straat straatnaam ulica rua logradouro",
    "iban": "iban ibannumber ibannr bankaccount bankaccountnumber kontonummer bankverbindung compteiban rib "
    "numerodecuenta cuentabancaria "
    "contocorrente rekeningnummer bankrekening numerkonta rachunekbankowy contabancaria numeroconta accountnumber",
    "card": "creditcard creditcardnumber creditcardno ccnumber ccnum cardnumber cardno cardnum debitcard "
    "debitcardnumber pan kreditkarte "
    "kreditkartennummer kartennummer kartennr cartebancaire numerocarte cartedecredit tarjeta tarjetacredito "
    "numerotarjeta tarjetadecredito "
    "cartadicredito numerocarta creditcardnummer kaartnummer kartakredytowa numerkarty cartaodecredito "
    "cartaocredito numerocartao",
    "ipv4": "ip ipaddress ipaddr ipv4 clientip remoteip sourceip srcip dstip remoteaddr hostip ipadresse "
    "adresseip direccionip indirizzoip "
    "ipadres adresip enderecoip ipv6 lastip loginip",
    "mac": "mac macaddress macaddr macadresse adressemac direccionmac",
    "ssn": "ssn socialsecurity socialsecuritynumber socialsecurityno nationalid nationalidnumber "
    "nationalinsurance nationalinsurancenumber nino "
    "taxid taxpayerid sozialversicherungsnummer svnummer svnr rentenversicherungsnummer steuerid "
    "steueridentifikationsnummer steuernummer "
    "personalausweis ausweisnummer personalausweisnummer numerosecu securitesociale numerosecuritesociale nir "
    "nss dni nif nie documentoidentidad "
    "codicefiscale codfiscale cf bsn burgerservicenummer sofinummer pesel nrpesel cpf nrcpf rg passport "
    "passportnumber passportno reisepass "
    "passeport pasaporte passaporto paspoort paszport passaporte driverslicense driverlicense fuhrerschein "
    "aadhaar sin personnummer",
    "date_of_birth": "dateofbirth birthdate birthday dob birthdt bdate geburtsdatum geburtstag gebdat gebdatum "
    "geburt datedenaissance "
    "datenaissance naissance fechadenacimiento fechanacimiento nacimiento fechanac datadinascita datanascita "
    "nascita geboortedatum geboren "
    "dataurodzenia urodzenia datadenascimento datanascimento nascimento dtnascimento born",
    "birth_year": "birthyear yearofbirth yob geburtsjahr anneenaissance anonacimiento annonascita geboortejaar "
    "rokurodzenia anonascimento",
    "latitude": "latitude lat breitengrad latitud latitudine breedtegraad szerokoscgeograficzna geolat gpslat",
    "longitude": "longitude lon lng long langengrad laengengrad longitud longitudine lengtegraad "
    "dlugoscgeograficzna geolon geolng gpslon gpslng",
    "coordinates": "coordinates coordinate coords geolocation latlong latlon latlng gps koordinaten coordonnees "
    "coordenadas coordinate coordinaten "
    "wspolrzedne",
    "postcode": "postcode postalcode zip zipcode plz postleitzahl codepostal codigopostal cap codicepostale "
    "codicecap kodpocztowy cep codigopostal",
    "license_plate": "licenseplate licenceplate numberplate platenumber kennzeichen kfzkennzeichen "
    "plaqueimmatriculation immatriculation "
    "matricula targa kenteken tablicarejestracyjna placa",
    "city": "city town municipality hometown stadt wohnort ville commune ciudad municipio localidad citta comune "
    "stad woonplaats gemeente miasto "
    "miejscowosc cidade localidade",
    "country": "country countryname countrycode nation land pays pais paese landcode kraj",
    "sex": "female male isfemale ismale femme mujer hombre "
    "sex gender geschlecht sexe genre sexo genero sesso genere geslacht plec",
    "age": "agegrp agecat agey ageyrs ageinyears agey altersklasse tranchedage grupoedad "
    "age ageyears alter lebensalter edad eta leeftijd wiek idade ageband agegroup altersgruppe",
    "nationality": "nativity foreignborn immigrant immig citizen uscitizen birthplace placeofbirth "
    "countryofbirth birthcountry nativecountry "
    "pob bpl geburtsort geburtsland lieunaissance paysnaissance lugarnacimiento paisnacimiento luogonascita "
    "geboorteplaats geboorteland "
    "miejsceurodzenia naturalidade "
    "nationality citizenship nationalitat staatsangehorigkeit staatsburgerschaft nationalite nacionalidad nazionalita "
    "cittadinanza nationaliteit narodowosc obywatelstwo nacionalidade",
    "marital_status": "marst marstat mstatus maritalstat married relationshipstatus verheiratet marie casado "
    "sposato gehuwd "
    "maritalstatus maritalsituation civilstatus familienstand etatcivil situationfamiliale estadocivil statocivile "
    "burgerlijkestaat stancywilny marital",
    "job": "occ occup occupationcode isco workclass employmentstatus empstat wrkstat emploi trabajo lavoro "
    "job jobtitle occupation "
    "profession beruf berufsbezeichnung metier profesion ocupacion puesto professione occupazione beroep functie zawod "
    "stanowisko profissao ocupacao cargo",
    "company": "company companyname employer organization organisation firma firmenname unternehmen arbeitgeber "
    "entreprise societe raisonsociale "
    "empresa azienda ragionesociale bedrijf bedrijfsnaam pracodawca",
    "education": "educ edu edlevel edattain educationyears yearseducation yearsofeducation yrseduc yrsschool "
    "highestgrade highestdegree "
    "attainment diploma ausbildung abschluss estudios titolostudio onderwijs escolarity "
    "education educationlevel schooling degree bildung schulabschluss niveauetudes educacion niveleducativo "
    "istruzione opleiding "
    "wyksztalcenie escolaridade",
    "income": "inc faminc hhinc hinc persinc pinc totinc rincome earnings wages hourlywage householdincome "
    "familyincome haushaltseinkommen "
    "revenus renta ingreso "
    "income salary wage annualincome einkommen gehalt lohn revenu salaire ingresos salario sueldo reddito "
    "stipendio inkomen salaris "
    "dochod zarobki wynagrodzenie renda rendimento",
}
_PERHAPS: dict[str, str] = {  # names that often mean something else; the content must match too
    "name": "name names nom nombre nome naam nazwa namen kunde patient passenger author",
    "username": "user usr account handle benutzer utilisateur usuario utente gebruiker uzytkownik utilizador",
    "last_name": "last nachn",
    "first_name": "first vorn",
    "postcode": "postal",
    "state": "state province region bundesland departement provincia "
    "regione estado comunidad provincie wojewodztwo kanton county",
    "email": "contact kontakt contacto contatto",
    "phone": "number no nummer numero",
    "iban": "konto cuenta conto rekening konta conta",
    "card": "karte carte card carta kaart karta cartao cc",
    "ssn": "ss identity identification documento svn insurance",
    "city": "ort place plaats lieu lugar luogo",
    "address": "addr location standort",
    "date_of_birth": "birth birthdays",
}
_SPECIAL: dict[str, str] = {  # GDPR Art. 9: prefixes of a word in the name; with a $, the whole word
    "health": (
        "diagnos disease diseas disea illness sick disab impair limitation medic drug therap symptom allerg asthma"
        " stroke$ angina dementia hepatit anemi obes copd$ covid pregnan prenatal birthweight gestation chronic cancer"
        " carcino tumor tumour hiv$ bmi$ cholesterol glucose insulin diabet hypertens blood sbp$ dbp$ hba1c hemoglobin"
        " haemoglobin creatinin platelet hospital doctor physician nurse$ clinic$ patholog health hlth physlm phylim"
        " actlim docvis pulse$ heartrate waist$ lengthofstay readmi mental depress anxiety smok cigar cigs$ alcoholi"
        " surger surgic vaccin icd$ icd9 icd10 ldl$ hdl$ triglycerid comorbid remission relapse chemo injur patient"
        " krank gesundheit medikament schwanger behinder blut$ blutdruck maladie sante$ handicap grossesse enfermedad"
        " salud$ discapacidad embaraz malattia salute$ gravidanza farmac ziekte gezondheid zwanger medicijn choroba"
        " zdrowi niepelnospr ciaza doenca saude$ deficiencia gravidez"
    ),
    "religion": "relig faith$ church konfession kirche confession eglise iglesia chiesa kerk geloof wyznanie igreja",
    "ethnicity": (
        "ethnic ethnie ethnisch race$ raceeth racecat racial rasse$ etnia etnic raza$ razza nonwhite hispan latino"
        " skincolo hautfarbe origineethn ascendencia raca$"
    ),
    "politics": (
        "politic politi$ polviews partyid partyaff party$ parteizugeh partei$ voting vote$ voter voted ideolog libcon"
        " leftright leftwing rightwing democrat republican parti$ partido partito partij$ wahl$ gewahlt$"
    ),
    "union": "tradeunion labourunion laborunion unionmember gewerkschaft syndica sindicat sindaca vakbond zwiazekzawod",
    "sexual_orientation": (
        "sexualorient sexorient sexornt sexuality sexuell orientationsexuel orientacionsexual orientamentosess seksual"
        " affair sexlife lgbt"
    ),
    "genetic": "genetic genotyp genom dna$ snp$ allele genetisch adn$",
    "biometric": "biometr fingerprint fingerabdruck retina voiceprint facialtempl faceembed faceid irisscan huella$",
}
_IF_TWO: dict[str, str] = {  # ambiguous words, which are personal if the column is binary
    "union": "union",
    "ethnicity": "black white asian hisp afam minority",
    "health": "ill limited",
    "religion": "muslim christian jewish catholic protestant",
}
_SOMETHING_ELSE = frozenset(
    words.listed("hospitality medicaid medicare size count credit european balance card")
)  # words next to or instead of which a name is not about a person
NO_PERSON = frozenset(person_headers.THINGS)  # words next to which a name or an address is not personal
_ALONE = frozenset(
    words.listed("""
    cap land cf rg sin pan placa alter long lng cell portable genre cargo functie function degree kraj targa matricula
    born town commune
    residence nation pays pais paese movil mobil mobile cep voie nascita naissance geburt nascimento
    """)
)  # ambiguous phrases, which are evidence only as the whole name
_ABOUT_IT = frozenset(
    words.listed("""
    is has had count cnt num nb n anzahl type typ flag domain provider status verified valid validated length len hash
    model version opt
    opted consent bounce bounced sent opened clicked rate ratio share pct percent mean avg days months code_type
    service plan brand
    network expiry expires exp date_expiry calls minutes charges lines usage available present missing score total sum
    price cost change changed changes match matched matching matches flag reason method quality format suffix prefix
    similarity distance check checked ok confirmed error errors freq frequency popularity rank salutation
    """)
)  # words of columns about an attribute of the thing, not the thing itself

_STEMS: dict[str, tuple[str, ...]] = {
    "education": ("educ",),
    "income": ("incom", "salar"),
    "job": ("occup",),
    "marital_status": ("marital", "marst"),
}
_PREFIXES = frozenset({"is", "has", "had", "num", "any", "valid", "no"})  # of a glued word about an attribute
_LEVELS = frozenset({"num", "type", "code", "level"})  # words that do not change the meaning of education and jobs
_DURATIONS = frozenset({"years", "yrs", "year", "yr", "since", "age"})
_THINGS = frozenset(
    words.listed(
        "building house home property vehicle car tree machine equipment loan policy asset page cache account contract"
        " stand"
    )
)


@cache
def _phrases() -> dict[str, tuple[str, float]]:
    found: dict[str, tuple[str, float]] = {}
    for table, strength in ((_PERHAPS, PERHAPS), (_SURE, TELLING)):
        for kind, listed in table.items():
            found |= dict.fromkeys(listed.split(), (kind, strength))
    return found


@cache
def called(name: str) -> Named | None:
    """The kind that a column's name indicates, by its most confident and longest phrase, the last one on ties; None
    without a match.
    """
    parts = words.tokens(name)
    best: tuple[tuple[float, int, int], Named] | None = None
    for start in range(len(parts)):
        for end in range(start + 1, min(start + 5, len(parts)) + 1):
            phrase = "".join(parts[start:end])
            kind, strength = (
                _phrases().get(phrase) or (_beginning(phrase) if end == start + 1 else None) or _compound(phrase)
            )
            rest = {part for part in (*parts[:start], *parts[end:]) if not part.isdigit()}
            if not kind or (rest and phrase in _ALONE):
                continue
            rank = (strength, len(phrase), end)
            if best is None or rank > best[0]:
                best = rank, Named(kind, strength * _doubt(kind, rest, parts), phrase)
    found = best[1] if best and best[1].strength > 0 else None
    return _composed(parts, found) or found


def _composed(parts: tuple[str, ...], found: Named | None) -> Named | None:
    """The name of a person that a column name is composed of, where that tells more than the phrase found; None where
    it does not.
    """
    if set(parts) & _ABOUT_IT:
        return None
    composed = person_headers.person(parts)
    if composed is not None:
        kind, phrase = composed
        weak = found is None or found.strength < IF_TELLING or found.kind == "date_of_birth"  # nom_naissance
        longer = found is not None and found.kind in NAMES and len(found.phrase) < len(phrase)
        return Named(kind, TELLING, phrase) if weak or longer else None
    alone = person_headers.role_alone(parts)
    return Named("name", PERHAPS, alone) if alone is not None and found is None else None


def _beginning(word: str) -> tuple[str, float] | None:
    """The kind of an abbreviated or extended word, such as educyr and incomet."""
    return next(((kind, 0.9) for kind, stems in _STEMS.items() if word.startswith(stems)), None)


def _compound(word: str) -> tuple[str, float]:
    """The kind that the end of a compound word indicates, such as Kundentelefonnummer."""
    for length in range(min(len(word) - 3, 24), 5, -1):
        found = _phrases().get(word[-length:])
        if word[:-length] in _PREFIXES:
            return "", 0.0
        if found and found[1] > 0.5 and found[0] not in ("age", "sex"):
            return found
    return "", 0.0


def _doubt(kind: str, rest: set[str], parts: tuple[str, ...]) -> float:
    """The factor by which the other words of the name reduce the confidence."""
    if rest & (_ABOUT_IT - _LEVELS if kind in ("education", "job") else _ABOUT_IT) or (
        kind == "marital_status" and rest & _DURATIONS
    ):
        return 0.0
    if kind == "age" and rest & (NO_PERSON | _THINGS):
        return 0.0
    if kind in NAMES:
        return 0.0 if person_headers.about_a_thing(parts) else 1.0
    if kind in ("address", "username") and rest & NO_PERSON:
        return 0.0 if kind != "address" else 0.6
    return 1.0


@cache
def special(name: str) -> Named | None:
    """The special category of personal data (GDPR Art. 9) that a column's name indicates; with strength IF_TWO if the
    column must have two values.
    """
    parts = words.tokens(name)
    if set(parts) & _SOMETHING_ELSE:
        return None
    joined = ["".join(parts[i : i + 2]) for i in range(len(parts))]
    for kind, stems in _SPECIAL.items():
        for stem in stems.split():
            whole = stem.endswith("$")
            if any(part == stem[:-1] if whole else part.startswith(stem) for part in (*parts, *joined)):
                return Named(kind, 0.7, stem.rstrip("$"))
    for kind, listed in _IF_TWO.items():
        if found := set(parts) & set(listed.split()):
            return Named(kind, IF_TWO, min(found))
    return None
