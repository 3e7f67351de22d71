"""Languages of free text: the words that tell a language, and the words that made-up text is written with.

`common` are frequent function words. Made-up text uses the word list of Faker's locale where Faker has one for the
language, else `words` and the common ones. Languages with a script of their own are told by their letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthcli.columns.words import listed


@dataclass(frozen=True)
class Language:
    """locale: the usual one; common: function words in lower case; words: further ones where Faker has no list;
    letters: a regular expression of letters that no other language here has; spaced: whether words stand apart.
    """

    locale: str
    common: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    letters: str | None = None
    spaced: bool = True
    stop: str = "."


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        "en_US",
        listed(
            "the of and to in is was for on that with he she it as his her are at by from this be have not had has"
            " but or an which were been their no patient reports denies"
        ),
    ),
    "de": Language(
        "de_DE",
        listed(
            "der die das und ist im mit den dem des von zu ein eine einer eines nicht auf für sich auch als nach bei"
            " wird wurde aus am es an keine kein seit sehr bis über"
        ),
    ),
    "fr": Language(
        "fr_FR",
        listed(
            "le la les de des du et est une un en dans que qui pour pas sur au aux avec par ce cette il elle son sa"
            " ses ne plus mais sans été depuis"
        ),
    ),
    "es": Language(
        "es_ES",
        listed(
            "el la los las de del y que en un una por con no se para es su al lo como más pero sus le ha muy sin"
            " sobre este esta desde fue"
        ),
    ),
    "it": Language(
        "it_IT",
        listed(
            "il lo la gli le di del della dei e che è un una per con non in si da al alla nel sono ha come più anche"
            " ma questo questa molto dal sul"
        ),
    ),
    "pt": Language(
        "pt_BR",
        listed(
            "o a os as de do da dos das e que em um uma para com não no na por mais se ao foi muito sem como mas à"
            " são está pelo pela desde"
        ),
        listed(
            "tempo casa trabalho cidade pessoa vida água parte lugar semana mês ano dia noite mão caminho carta mesa"
            " porta preço produto serviço pedido cliente empresa conta grupo questão resposta exemplo forma"
            " grande novo bom pequeno último próximo fazer dizer chegar ficar voltar receber pedir entregar"
        ),
    ),
    "nl": Language(
        "nl_NL",
        listed(
            "de het een en van in is dat op te zijn met voor niet aan er om ook als bij maar door over uit naar wordt"
            " heeft nog geen werd zeer deze"
        ),
    ),
    "sv": Language(
        "sv_SE",
        listed(
            "och i att det som en på är av för med till den har de inte om ett men var sig från vid så kan när mycket"
            " efter också utan ingen"
        ),
        listed(
            "tid hus arbete stad människa liv vatten del plats vecka månad år dag natt hand väg brev bord dörr pris"
            " vara tjänst beställning kund företag konto grupp fråga svar exempel stor ny god liten sista nästa göra"
            " säga komma stanna återvända få begära lämna leverera"
        ),
    ),
    "da": Language(
        "da_DK",
        listed(
            "og i at det som en på er af for med til den har de ikke om et men var sig fra ved så kan når meget efter"
            " også uden ingen blev"
        ),
    ),
    "no": Language(
        "no_NO",
        listed(
            "og i å det som en på er av for med til den har de ikke om et men var seg fra ved så kan når veldig etter"
            " også uten ingen ble"
        ),
        listed(
            "tid hus arbeid by menneske liv vann del sted uke måned år dag natt hånd vei brev bord dør pris vare"
            " tjeneste bestilling kunde bedrift konto gruppe spørsmål svar eksempel stor ny god liten siste neste"
            " gjøre si komme bli vende få be levere"
        ),
    ),
    "fi": Language(
        "fi_FI",
        listed(
            "ja on ei se että oli hän en mutta kuin niin myös tai joka ovat kun jos sen olla mukaan vain jo hyvin"
            " jälkeen ilman"
        ),
        listed(
            "aika talo työ kaupunki ihminen elämä vesi osa paikka viikko kuukausi vuosi päivä yö käsi tie kirje pöytä"
            " ovi hinta tuote palvelu tilaus asiakas yritys tili ryhmä kysymys vastaus esimerkki suuri uusi hyvä pieni"
            " viimeinen seuraava tehdä sanoa tulla jäädä palata saada pyytää toimittaa"
        ),
    ),
    "pl": Language(
        "pl_PL",
        listed(
            "i w na z się nie do to że jest o jak po od za dla przez ale był była oraz bez przy jego jej bardzo tak"
            " już ma"
        ),
    ),
    "cs": Language(
        "cs_CZ",
        listed(
            "a v na se je že to s z do o jako po od za pro ale byl byla při jeho její velmi tak už má ve který která"
            " bez není"
        ),
    ),
    "hu": Language(
        "hu_HU",
        listed(
            "a az és hogy nem is egy van volt meg ez de mint már csak még el ki azt nagyon után vagy szerint lesz"
            " nélkül minden"
        ),
        listed(
            "idő ház munka város ember élet víz rész hely hét hónap év nap éjszaka kéz út levél asztal ajtó ár áru"
            " szolgáltatás rendelés ügyfél cég számla csoport kérdés válasz példa nagy új jó kicsi utolsó következő"
            " csinál mond jön marad visszatér kap kér szállít"
        ),
    ),
    "ro": Language(
        "ro_RO",
        listed(
            "și în de la cu a nu că este un o pe din pentru mai care se sunt sau al ale dar fost foarte după fără prin"
            " lui"
        ),
        listed(
            "timp casă muncă oraș om viață apă parte loc săptămână lună an zi noapte mână drum scrisoare masă ușă preț"
            " produs serviciu comandă client firmă cont grup întrebare răspuns exemplu mare nou bun mic ultimul"
            " următorul face spune vine rămâne primi cere livra"
        ),
    ),
    "tr": Language(
        "tr_TR",
        listed(
            "ve bir bu da de için ile çok ne o var olarak daha gibi kadar sonra ama en değil olan her ya mi oldu yok"
            " şey"
        ),
        listed(
            "zaman ev iş şehir insan hayat su parça yer hafta ay yıl gün gece el yol mektup masa kapı fiyat ürün hizmet"
            " sipariş müşteri şirket hesap grup soru cevap örnek büyük yeni iyi küçük son gelecek yapmak söylemek"
            " gelmek kalmak dönmek almak istemek teslim"
        ),
    ),
    "id": Language(
        "id_ID",
        listed(
            "yang dan di ini itu dengan untuk tidak dari dalam pada adalah akan juga ke karena sudah ada saya kami"
            " oleh sangat tanpa"
        ),
        listed(
            "waktu rumah kerja kota orang hidup air bagian tempat minggu bulan tahun hari malam tangan jalan surat meja"
            " pintu harga barang layanan pesanan pelanggan perusahaan akun kelompok pertanyaan jawaban contoh besar"
            " baru baik kecil terakhir berikut membuat berkata datang tinggal kembali menerima meminta mengirim"
        ),
    ),
    "vi": Language("vi_VN", listed("của là và có không được cho một những các trong với đã này người khi để")),
    "ru": Language(
        "ru_RU",
        listed("и в не на что с он она по это как но из у за от так для же был была все или без при его ее"),
        letters=r"[ыэё]",
    ),
    "uk": Language(
        "uk_UA", listed("і в не на що з він вона по це як але із у за від так для був була або без"), letters=r"[іїєґ]"
    ),
    "bg": Language(
        "bg_BG",
        listed("и в не на че с той тя по това как но от за са се да е са или без при ще има като много"),
        listed(
            "време къща работа град човек живот вода част място седмица месец година ден нощ ръка път писмо маса врата"
            " цена стока услуга поръчка клиент фирма сметка група въпрос отговор пример голям нов добър малък"
            " последен следващ прави казва идва остава връща получава"
        ),
    ),
    "el": Language("el_GR", letters=r"[\u0370-\u03ff]"),
    "he": Language(
        "he_IL",
        words=listed(
            "זמן בית עבודה עיר אדם חיים מים חלק מקום שבוע חודש שנה יום לילה יד דרך מכתב שולחן דלת מחיר מוצר שירות"
            " הזמנה לקוח חברה חשבון קבוצה שאלה תשובה דוגמה גדול חדש טוב קטן אחרון הבא של את על לא זה עם הוא היא"
        ),
        letters=r"[\u0590-\u05ff]",
    ),
    "ar": Language("ar_AA", listed("في من على أن إلى لا ما هذا هذه كان مع عن التي الذي بعد كل هو هي")),
    "fa": Language("fa_IR", listed("در از به که را با این است و برای آن یک تا بود شد می های هم"), letters=r"[پچژگ]"),
    "hy": Language("hy_AM", letters=r"[\u0530-\u058f]", stop="։"),
    "hi": Language(
        "hi_IN",
        words=listed(
            "समय घर काम शहर व्यक्ति जीवन पानी भाग स्थान सप्ताह महीना साल दिन रात हाथ रास्ता पत्र मेज़ दरवाज़ा कीमत सेवा"
            " ग्राहक कंपनी खाता समूह प्रश्न उत्तर उदाहरण बड़ा नया अच्छा छोटा अंतिम अगला और का की के में से है पर नहीं एक यह"
            " को भी लिए"
        ),
        letters=r"[\u0900-\u097f]",
        stop="।",
    ),
    "bn": Language("bn_BD", letters=r"[\u0980-\u09ff]", stop="।"),
    "th": Language("th_TH", letters=r"[\u0e00-\u0e7f]", spaced=False, stop=" "),
    "ko": Language(
        "ko_KR",
        words=listed(
            "시간 집 일 도시 사람 생활 물 부분 장소 주 달 해 날 밤 손 길 편지 책상 문 가격 상품 서비스"
            " 주문 고객 회사 계좌 그룹 질문 대답 예 큰 새로운 좋은 작은 마지막 다음 하다 말하다 오다 남다"
            " 돌아오다 받다 요청하다 배달하다 그리고 하지만 매우 또는 이후 없이"
        ),
        letters=r"[\uac00-\ud7af]",
    ),
    "ja": Language("ja_JP", letters=r"[\u3040-\u30ff]", spaced=False, stop="。"),
    "zh": Language("zh_CN", letters=r"[\u4e00-\u9fff]", spaced=False, stop="。"),
}
FOLLOWS = {"nb": "no", "nn": "no", "fil": "en", "tl": "en"}  # languages written with the words of another


def of_locale(locale: str) -> Language | None:
    """The language of a locale such as de_AT; None if it is not among these."""
    code = locale.replace("-", "_").split("_")[0].lower()
    return LANGUAGES.get(FOLLOWS.get(code, code))
