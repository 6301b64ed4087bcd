"""Words and phrases per language: data, no logic.

Phrases are regular expressions for text in lower case with straight apostrophes. `@` stands for the name, `…` for other
words of the same clause (other names of a list, say).
"""

from __future__ import annotations

from collections.abc import Mapping

# What is not found, and the words that lead to the name.
_EN = r"(?:information|info|details?|data|results?|sources?|mentions?|references?|evidence|records?|coverage)"
_EN_IDLE = r"(?: (?:is|are|was|were|could|be|found|available|online|specifically|specific))*"
_EN_ABOUT = r" (?:about|on|for|of|regarding|concerning|related to|to)\b…@"
_EN_FOUND = r"(?:results?|sources?|documents?)"
_DE = r"(?:informationen|angaben|daten|quellen|hinweise|ergebnisse|treffer|details|belege)"
_DE_ABOUT = r"(?:über|zu|zum|zur|für|bezüglich)"
_DE_FOUND = r"\w*(?:ergebnissen|quellen|treffern)"
_FR = r"(?:informations?|données?|renseignements?|détails?|résultats?|sources?|mentions?)"
_FR_IDLE = r"(?: (?:fiables?|disponibles?|précises?|pertinente?s?|trouvée?s?))*"
_FR_ABOUT = r" (?:sur|concernant|pour|relatives? à|au sujet de|à propos de)\b…@"
_ES = r"(?:información|informaciones|datos|detalles|resultados|fuentes|referencias|menciones)"
_ES_VERB = r"(?:encontr\w+|hallar|hallé|hallado|hay|dispongo|tengo|tenemos|existen?|localizar)"
_ES_IDLE = r"(?: (?:disponibles?|fiables?|confiables?|relevantes?|específicos?|específicas?))*"
_JA = r"(?:情報|データ|資料|記載|言及|詳細|検索結果)(?:は|が|も|を)"
_JA_NOT = (
    r"(?:見つかりません|見つけられません|見つけることができません|見当たりません"
    r"|ありません|確認できません|得られません|ございません)"
)
_JA_SEEN = r"(?:表示され|含まれ|見つかり|記載され|言及され|登場し|出てき)"
_ZH = r"(?:信息|资料|数据|内容|报道|结果|介绍)"
_ZH_NOT = (
    r"(?:没有|没能|未能|未|无法|找不到|没|暂无|尚无|不能)(?:找到|查到|搜索到|检索到|发现|获取|获得|提供)?(?:任何)?"
)
_ZH_FOUND = r"(?:结果|来源|资料|文章)"

DENIALS: Mapping[str, tuple[str, ...]] = {
    "en": (
        # I couldn't find any reliable information about Acme. I don't have details on Acme or Globex.
        r"(?:n't|not|cannot|unable to|failed to) (?:able to )?(?:find|locate|have|see|verify|confirm)(?: access to)?"
        r"(?: any| much| enough)?"
        rf"(?: \w+){{0,2}}? (?:{_EN}|anything){_EN_IDLE}{_EN_ABOUT}",
        # There is no information available about Acme. No results were found for Acme.
        rf"\bno (?:\w+ ){{0,2}}?{_EN}{_EN_IDLE}{_EN_ABOUT}",
        # Nothing could be found about Acme.
        r"\bnothing (?:\w+ ){0,3}?(?:about|on|regarding)\b…@",
        # I'm not familiar with Acme.
        r"\bi(?:'m| am) (?:\w+ )?(?:not (?:\w+ )?(?:familiar with|aware of)|unfamiliar with)\b…@",
        # My search results do not mention Acme. None of the sources mentions Acme.
        rf"{_EN_FOUND}(?: \w+){{0,3}}? ?(?:n't|not) (?:\w+ )?(?:mention|include|contain|cover|list|reference)\b…@",
        rf"(?:none|neither) of (?:the|my|these|those) (?:\w+ ){{0,3}}?{_EN_FOUND}"
        r" (?:mention|include|contain|cover|list|reference)s?\b…@",
        # Acme does not appear in the search results. Acme is not mentioned in any of the sources.
        rf"@ (?:do|does|did)(?:n't| not) (?:\w+ )?(?:appear|show up|come up|feature) (?:\w+ ){{0,5}}?{_EN_FOUND}",
        r"@ (?:is|was|are|were)(?:n't| not) (?:\w+ )?(?:mentioned|listed|found|included|covered|referenced)"
        rf" (?:\w+ ){{0,6}}?{_EN_FOUND}",
        rf"(?:n't|not|unable to) (?:able to )?(?:find|locate|see) @ (?:in|among) (?:\w+ ){{0,5}}?{_EN_FOUND}",
        # Details about Acme are not available in my sources. Acme isn't something I have data on.
        rf"{_EN}{_EN_ABOUT}…(?:is|are|was|were|could)(?:n't| not) (?:be )?(?:available|provided|found|included)",
        r"@ (?:isn't|is not) (?:something|a name|a brand|a company) (?:that )?i (?:have|know|recogni[sz]e)",
    ),
    "de": (
        # Ich konnte keine Informationen über Acme finden. Es gibt keine verlässlichen Quellen zu Globex.
        rf"\bkein(?:e|en|erlei)? (?:\w+ ){{0,3}}?{_DE} (?:gefunden )?{_DE_ABOUT}\b…@",
        rf"\bnichts {_DE_ABOUT}\b…@",
        # Zu Acme liegen mir keine Informationen vor. Zu Acme konnte ich nichts finden.
        rf"\b{_DE_ABOUT} …@…\b(?:keine(?:rlei)? (?:\w+ ){{0,2}}?{_DE}|nichts (?:finden|gefunden|bekannt))",
        # Weder zu Acme noch zu Globex fand ich Informationen.
        rf"\bweder {_DE_ABOUT} …@…{_DE}",
        # Globex wird in den Suchergebnissen nicht erwähnt. Acme taucht nicht in den Quellen auf.
        rf"@ (?:wird|ist|taucht|kommt|erscheint) …{_DE_FOUND} (?:nicht|nirgends)\b",
        rf"@ (?:wird|taucht|kommt|erscheint) (?:nicht|nirgends) (?:in|unter) …{_DE_FOUND}\b",
        # Acme findet sich in keiner der Quellen.
        r"@ (?:findet sich|steht|kommt|taucht|erscheint|ist|wird) in keine[rmn] …(?:quelle|ergebnis|treffer)",
        # Leider ist mir Globex nicht bekannt. Ich kenne Globex nicht.
        r"\bmir (?:\w+ )?@ (?:\w+ )?(?:nicht bekannt|unbekannt)",
        r"@ ist mir (?:\w+ )?(?:nicht bekannt|unbekannt)",
        r"\b(?:kenne ich|ich kenne) @ (?:leider )?nicht\b",
    ),
    "fr": (
        # Je n'ai trouvé aucune information sur Acme. Je n'ai pas d'informations concernant Initech.
        rf"\b(?:aucune?|pas d'|pas de|pas trouvé d'|pas trouvé de) ?(?:\w+ )?{_FR}{_FR_IDLE}{_FR_ABOUT}",
        rf"\bimpossible de trouver (?:des |d'|une? )?(?:\w+ )?{_FR}{_FR_IDLE}{_FR_ABOUT}",
        r"\brien trouvé (?:sur|concernant|à propos de)\b…@",
        # Aucune source fiable ne mentionne Acme.
        r"\baucune? (?:des |de mes )?(?:sources?|documents?|résultats?)(?: \w+){0,2}? ne (?:mentionne|cite|parle d[e'])…@",
        # Acme n'apparaît pas dans les résultats. Initech n'est mentionné dans aucune des sources.
        r"@ (?:n'(?:apparaît|apparait)|ne figure) (?:pas|dans aucun)…(?:résultats|sources?)",
        r"@ n'est (?:pas )?(?:mentionnée?|citée?|répertoriée?|référencée?) …(?:résultats|sources?)",
        # Je ne connais pas Globex.
        r"\bje ne connais pas @",
    ),
    "es": (
        # No encontré información sobre Acme. No he podido encontrar ninguna información sobre Acme.
        rf"\bno (?:se )?(?:(?:he|ha|hay|pude|podido|puedo|logré|logrado|hemos) )*(?:{_ES_VERB} )?(?:de )?"
        rf"(?:ninguna? |mucha |más )?{_ES}{_ES_IDLE} (?:sobre|acerca de|para|de|respecto a)\b…@",
        r"\bnada (?:sobre|acerca de)\b…@",
        # Ninguna de las fuentes menciona a Globex.
        r"\bninguna? de (?:las|los|mis) (?:\w+ )?(?:fuentes|resultados|documentos) (?:\w+ )?"
        r"(?:menciona|cita|incluye|habla de)\b…@",
        # Acme no aparece en los resultados de búsqueda.
        r"@ no (?:aparece|figura|se menciona|sale) …(?:resultados|fuentes|búsqueda)",
        # No conozco Globex.
        r"\bno conozco (?:a )?@",
    ),
    "ja": (
        # Acmeに関する情報は見つかりませんでした。
        rf"@(?:という\w{{1,4}}?|社)?(?:に関する|についての|に関しての|に関して|について|の)…{_JA}…{_JA_NOT}",
        # 情報源にはAcmeへの言及がありません。
        rf"@への言及(?:は|が){_JA_NOT}",
        # Acmeは検索結果に表示されませんでした。
        rf"@(?:は|が|も)…(?:検索結果|情報源|資料)(?:に|には|では)…{_JA_SEEN}(?:て(?:おり|い))?ません",
        # Acmeについては存じ上げません。
        r"@(?:について|に関して)?(?:は|も)?(?:存じ上げ|存じ|知り)(?:て(?:おり|い))?ません",
    ),
    "zh": (
        # 我没有找到关于Acme的信息。 暂无关于Acme的可靠信息。
        rf"{_ZH_NOT}(?:关于|有关|与|对)?…@(?:的|相关|有关|可靠|任何|具体|详细|公开|更多){{0,4}}{_ZH}",
        # 搜索结果中没有提到Acme。
        rf"{_ZH_FOUND}(?:中|里|内)?(?:并|均|都)?(?:没有|未|没)(?:提到|提及|出现|包含|涉及)…@",
        rf"@(?:并)?(?:没有|未|没)(?:出现|被提及|被提到)在?…{_ZH_FOUND}",
        # 我不了解Globex。
        r"我(?:并|还)?不(?:太)?(?:了解|熟悉|认识|知道)…@",
    ),
}
"""How engines say that they know nothing about a name."""

NEGATIONS: tuple[str, ...] = (
    "n't ", "not ", "cannot ", "unable ", "failed to ", "no ", "none of ", "neither of ", "nothing ", "unfamiliar ",
    "kein", "nicht", "weder ", "nirgends", "unbekannt",
    "aucun", " pas ", "impossible ", "rien ", "n'a", " ne ",
    "ningun", "nada ",
    "ません",
    "没", "未", "无", "不",
)  # fmt: skip
"""Every denial holds one of these"""

SUBJECTS: tuple[str, ...] = (
    "informa", "info ", "detail", "data", "result", "source", "document", "mention", "referenc", "evidence", "record", "coverage",
    "anything", "nothing", "familiar", "aware of",
    "angaben", "daten", "quelle", "hinweis", "ergebnis", "treffer", "belege", "nichts", "bekannt", "kenne",
    "donnée", "renseignement", "détail", "résultat", "rien ", "connais",
    "datos", "fuente", "referencia", "mencion", "búsqueda", "nada ", "conozco",
    "情報", "データ", "資料", "記載", "言及", "詳細", "検索結果", "存じ", "知り",
    "信息", "资料", "数据", "内容", "报道", "结果", "介绍", "来源", "文章", "了解", "熟悉", "认识", "知道",
)  # fmt: skip
"""and one of these: where either is far from a name, the phrases are not tried."""

CONTRASTS: tuple[str, ...] = (
    " but ", " however ", " however,", " although ", " though ", " whereas ", " while ",
    " aber ", " jedoch ", " allerdings ", " während ", " wohingegen ",
    " mais ", " cependant ", " toutefois ", " tandis que ", " alors que ",
    " pero ", " sin embargo ", " aunque ", " mientras que ",
    "が、", "けれども、", "一方、", "しかし",
    "但", "不过", "然而", "，而",
)  # fmt: skip
"""Words that open a clause of their own: a denial does not reach over them."""

ABBREVIATIONS: frozenset[str] = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "vs",
        "inc",
        "ltd",
        "corp",
        "co",
        "no",
        "approx",
        "est",
        "e.g",
        "i.e",
        "u.s",
        "u.k",
        "a.m",
        "p.m",
        "fig",
        "vol",
        "jr",
        "sr",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "ca",
        "evtl",
        "ggf",
        "inkl",
        "nr",
        "str",
        "usw",
        "vgl",
        "sog",
        "mio",
        "mrd",
        "m",
        "mme",
        "mlle",
        "p.ex",
        "env",
        "av",
        "etc",
        "sr",
        "sra",
        "srta",
        "ud",
        "uds",
        "p.ej",
        "aprox",
        "núm",
        "pág",
        "ee.uu",
    ]
)
"""Words whose full stop ends no sentence, in lower case without it."""
