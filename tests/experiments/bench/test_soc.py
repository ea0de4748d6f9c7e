from experiments.bench import soc


def test_every_application_and_the_mix_get_a_row_under_both_rules(monkeypatch):
    monkeypatch.setattr(soc, "BATCH", 16)
    monkeypatch.setattr(soc, "SINGLES", 2)
    rows = list(soc.measure())
    assert [(row["workload"], row["rules"]) for row in rows] == [
        (workload, rules) for workload in soc.TARGETS for rules in ("realistic", "farsi")
    ]
    assert all(row["designs/s"] > 0 and row["one at a time"] > 0 and row["times FARSI"] > 0 for row in rows)
