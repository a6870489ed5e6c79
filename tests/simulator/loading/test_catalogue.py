"""What this version cannot run."""


def test_a_link_that_is_not_built_is_refused_by_name(fadeline, in_tmp):
    answer = fadeline("channel", "rayleigh", "--set", "channel.rate={kind: nr}", "--out", "made")
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: this link is valid, but this version cannot run it yet; "
        "not built: channel.rate: nr\n"
    )
    assert list(in_tmp.iterdir()) == []
    assert fadeline("check", "rayleigh", "--set", "channel.rate={kind: nr}").code == 0


def test_run_names_all_that_is_not_built(fadeline, in_tmp):
    policy = "schemes.0={codec: stae, policy: {kind: expected-accuracy, ratios: [52, 104]}}"
    changes = ("--set", "channel.rate={kind: nr}", "--set", policy)
    answer = fadeline("run", "rayleigh", *changes)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "error: this scenario is valid, but this version cannot run it yet; not built: "
        "channel.rate: nr, schemes.0.policy: expected-accuracy\n"
    )
    assert list(in_tmp.iterdir()) == []
