"""What the emulated engines know: a few pages, two of them of the brands that the test projects track."""

from __future__ import annotations

from citepoll.store.corpus import Document, Passage

_PAGES = {
    "https://acme.com/forks": (
        "Garden forks – Acme",
        "The Acme Classic has four forged tines and an ash handle. It weighs 1.9 kg. A fork for clay needs strong tines.",
        "Acme gives ten years of guarantee. Prices start at 39 €. Oil the handle once a year 🌱.",
    ),
    "https://www.acme.com/guides/which-tool?lang=en": (
        "Which tool for which job",
        "A digging tool for heavy soil should have a long shaft. A spade cuts, a fork loosens. Teams compare both.",
    ),
    "https://other.com/light": (
        "Foxglove Light",
        "The Foxglove Light is the lightest fork of its class. It weighs 1.2 kg and suits small hands.",
        "Foxglove ships to Größenwahn and Østfold within two days. Software for gardens is included.",
    ),
    "https://tests.example/best-forks-2026": (
        "The best garden forks of 2026",
        "We tested twelve forks over a season. Acme won for clay, Foxglove for weight. Both beat the cheap ones.",
        "The best choice depends on the soil. For sand a light fork is enough.",
    ),
    "https://forum.example/t/4711#post-3": (
        "Forum: fork or spade?",
        "I use the Acme since 2011 and it never bent. My neighbour prefers Foxglove 👩‍🌾. Try before you buy.",
    ),
    "https://magazin.example/gabel-vergleich": (
        "Spatengabeln im Vergleich",
        "Welche Spatengabel ist leicht? Die Gabel von Foxglove wiegt 1,2 kg. Größere Gärten brauchen mehr Kraft.",
    ),
    "https://en.wikipedia.org/wiki/Garden_fork": (
        "Garden fork",
        "A garden fork is a gardening implement with a handle and several short tines. It is used to loosen soil.",
    ),
    "https://shop.example/forks?sort=price&page=1": (
        "Forks by price",
        "Forks cost between 15 € and 90 €. The cheapest ones are stamped, not forged. Delivery takes three days.",
    ),
    "https://日本.example/鋤": ("鋤の選び方", "軽い鋤は女性に人気です。粘土質の土には丈夫な歯が必要です。"),
}

DOCUMENTS: tuple[Document, ...] = tuple(
    Document(url, title, tuple(Passage("", body) for body in bodies), "") for url, (title, *bodies) in _PAGES.items()
)
