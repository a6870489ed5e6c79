"""How often intervals hold: today's beside its rivals, where replications are few, skewed or agree.

Every case is drawn many times and each method is asked for its 95 % interval: share that holds the
truth, shares that lie above and below it, median width. All in percent.

    python benchmarks/interval_coverage.py [--part shares|differences|total|bands] [--draws 2000]
"""

import argparse
from itertools import product

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri, stdtrit

from fadeline.simulator.analysis import mean_interval as ours
from fadeline.simulator.analysis.intervals import estimates
from fadeline.simulator.analysis.mean_interval import differing_replications, mean_interval

SIZES = tuple(product((10, 40), (40, 400)))  # replications, clips in each
OUTAGES = (0.01, 0.02, 0.05, 0.1, 0.2)
SHARE, DIFFERENCE = (0.0, 1.0), (-1.0, 1.0)


def student_t(means, range_):
    """Student's t; where all agree, Clopper and Pearson's over replications."""
    mean, error = _moments(means)
    reach = stdtrit(len(means) - 1, 0.975) * error
    return _unanimous(means, range_, mean - reach, mean + reach)


def student_t_over_clips(means, range_, clips):
    """The same, but where all agree Clopper and Pearson's over clips."""
    mean, error = _moments(means)
    reach = stdtrit(len(means) - 1, 0.975) * error
    n = clips * len(means)
    hits = np.round(mean * n)
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1), n - hits + 1, 0.025), 0.0)
    high = np.where(hits < n, betaincinv(hits + 1, np.maximum(n - hits, 1), 0.975), 1.0)
    if range_ == DIFFERENCE:
        unseen = betaincinv(1, n, 0.975)
        low, high = mean - unseen, mean + unseen
    agree = error < 1e-12
    return np.where(agree, low, mean - reach), np.where(agree, high, mean + reach)


def logit_t(means, range_):
    """Student's t on the logit scale, by the delta method."""
    mean, error = _moments(_scaled(means, range_))
    inside = mean.clip(1e-9, 1.0 - 1e-9)
    reach = stdtrit(len(means) - 1, 0.975) * error / (inside * (1.0 - inside))
    centre = np.log(inside / (1.0 - inside))
    low, high = (1.0 / (1.0 + np.exp(-at)) for at in (centre - reach, centre + reach))
    return _unanimous(means, range_, *_back(low, high, range_))


def effective_size(means, range_):
    """Korn and Graubard: Clopper and Pearson's at the effective number of trials."""
    mean, error = _moments(_scaled(means, range_))
    found = ours.effective_interval(mean, error, len(means) - 1)
    return _unanimous(means, range_, *_back(*found, range_))


def wilson(means, range_):
    """Wilson's at the effective number of trials, with Student's t for z."""
    mean, error = _moments(_scaled(means, range_))
    with np.errstate(divide="ignore", invalid="ignore"):
        trials = mean * (1.0 - mean) / error**2
        t = stdtrit(len(means) - 1, 0.975)
        centre = (mean + t * t / 2.0 / trials) / (1.0 + t * t / trials)
        root = np.sqrt(mean * (1.0 - mean) / trials + t * t / 4.0 / trials**2)
        reach = t / (1.0 + t * t / trials) * root
    return _unanimous(means, range_, *_back(centre - reach, centre + reach, range_))


def bootstrap_t(means, range_):
    """Bootstrap-t over replications, tails of 2.5 %, within the range."""
    before, ours.BOOTSTRAP_TAIL = ours.BOOTSTRAP_TAIL, 0.025
    try:
        found = ours._bootstrap_t(_scaled(means, range_), np.random.default_rng(3))
    finally:
        ours.BOOTSTRAP_TAIL = before
    low, high = _back(*found, range_)
    return _unanimous(means, range_, low.clip(*range_), high.clip(*range_))


def outermost(means, range_):
    """Gaffke's, which holds for any replications within the range."""
    found = ours._outermost(_scaled(means, range_), np.random.default_rng(4))
    return _unanimous(means, range_, *_back(*found, range_))


def chosen(means, range_):
    """What runs report."""
    rng = np.random.default_rng(5)
    return mean_interval(means, differing_replications(means), rng, range_=range_)


METHODS = {
    "t": student_t, "logit t": logit_t, "effective size": effective_size, "Wilson": wilson,
    "bootstrap-t": bootstrap_t, "outermost": outermost, "chosen": chosen,
}  # fmt: skip


def share_cases(draws, runs, clips, rng):
    """Yield a name, replications' shares of shape (runs, draws), and the true mean."""
    shape = (runs, draws)
    for outage, right in product(OUTAGES, (1.0, 0.9)):
        working = rng.binomial(clips, right, shape) * (rng.random(shape) >= outage)
        yield f"outage {outage:.0%}, else {right:.0%}", working / clips, right * (1.0 - outage)
    for mean in (0.5, 0.9, 0.97, 0.995):
        for sigma in (0.0, 0.3, 0.7, 1.0):
            level = ndtri(mean) * np.sqrt(1.0 + sigma**2)
            rights = ndtr(level + sigma * rng.standard_normal(shape))
            yield f"probit {mean:.1%}, sigma {sigma:g}", rng.binomial(clips, rights) / clips, mean


def difference_cases(draws, runs, clips, rng):
    """Yield a name, replications' differences of shape (runs, draws), and the true mean."""
    shape = (runs, draws)

    def shares(right):
        return rng.binomial(clips, right, shape) / clips

    for outage in OUTAGES[2:]:
        works = rng.random(shape) >= outage
        yield f"both out {outage:.0%}", works * (shares(0.9) - shares(0.8)), 0.1 * (1 - outage)
        yield f"one out {outage:.0%}, else alike", 1.0 - works, outage
        yield (
            f"one out {outage:.0%}, else 10 points",
            shares(0.9) - works * shares(0.8),
            0.9 - 0.8 * (1 - outage),
        )
    pairs = ((0.55, 0.5), (0.9, 0.8), (0.97, 0.9), (0.995, 0.97))
    for (mine, theirs), sigma in product(pairs, (0.3, 1.0)):
        common = rng.standard_normal(shape)
        parts = []
        for mean in (mine, theirs):  # correlated by 0.8
            z = np.sqrt(0.8) * common + np.sqrt(0.2) * rng.standard_normal(shape)
            parts.append(shares(ndtr(ndtri(mean) * np.sqrt(1.0 + sigma**2) + sigma * z)))
        yield (
            f"probit {mine:.1%} - {theirs:.1%}, sigma {sigma:g}",
            np.subtract(*parts),
            (mine - theirs),
        )


def compare(cases, range_, draws):
    for runs, clips in SIZES:
        print(f"\n{runs} replications of {clips} clips: holds (above/below) median width, all in %")
        print(" " * 32 + "".join(f"{name:>24}" for name in ("t over clips", *METHODS)))
        for name, means, truth in cases(draws, runs, clips, np.random.default_rng(1)):
            found = [student_t_over_clips(means, range_, clips)]
            found += [method(means, range_) for method in METHODS.values()]
            print(f"{name:32}" + "".join(_cell(each, truth) for each in found), flush=True)


def total(draws):
    """Test clips have effects of their own, drawn anew each time: 1,620, with replacement."""
    rng = np.random.default_rng(2)
    clips, columns = 1620, 50
    print("\n10 replications of 464 of 1,620 test clips: over both, over replications alone")
    for mean, over_runs, over_clips in product((0.7, 0.97, 0.995), (0.1, 0.5), (0.0, 1.0, 3.0)):
        level = ndtri(mean) * np.sqrt(1.0 + over_runs**2 + over_clips**2)
        both, alone = [], []
        for _ in range(-(-draws // columns)):
            index = rng.integers(0, clips, 4640)
            replication = np.arange(10).repeat(464)
            fades = over_runs * rng.standard_normal((10, columns))[replication]
            pixels = over_clips * rng.standard_normal((clips, columns))[index]
            right = (level + fades + pixels + rng.standard_normal(pixels.shape) > 0).astype(np.int8)
            found = estimates(right, replication, index, rng, range_=SHARE)
            both.append((found.total_low, found.total_high))
            alone.append((found.low, found.high))
        cells = "".join(_cell(np.concatenate(each, axis=1), mean) for each in (both, alone))
        about = f"{mean:.1%}, sigma {over_runs:g} of runs, {over_clips:g} of clips"
        print(f"{about:40}{cells}", flush=True)


def bands(draws):
    """Latencies with a shift for each replication; accuracies from 0.5 to 99.5 %."""
    rng = np.random.default_rng(3)
    print("\nwhole curves of 20 deadlines: bands that hold them, pointwise intervals that do")
    truth = np.concatenate([[0.005, 0.02], np.linspace(0.05, 0.95, 16), [0.98, 0.995]])
    for runs, sigma, skewed in product((10, 40), (0.1, 0.5), (False, True)):
        held = np.zeros(2)
        for _ in range(draws):
            shift = rng.standard_exponential(runs) if skewed else rng.standard_normal(runs)
            late = rng.standard_normal((runs, 200)) + sigma * shift[:, None]
            deadlines = np.quantile(_latencies(sigma, skewed), truth)
            values = (late.reshape(-1, 1) <= deadlines).astype(np.int8)
            nowhere = np.full(len(values), -1)
            found = estimates(values, np.arange(runs).repeat(200), nowhere, rng, range_=SHARE)
            for place, (low, high) in enumerate((found.band(rng), (found.low, found.high))):
                held[place] += ((low <= truth + 1e-3) & (truth - 1e-3 <= high)).all()
        kind = "exponential" if skewed else "normal"
        print(f"{runs} replications, {kind} shifts of {sigma:g}: {held / draws}", flush=True)


def _latencies(sigma, skewed, _kept={}):  # noqa: B006
    if (sigma, skewed) not in _kept:
        rng = np.random.default_rng(9)
        shift = rng.standard_exponential(10**6) if skewed else rng.standard_normal(10**6)
        _kept[sigma, skewed] = np.sort(rng.standard_normal(10**6) + sigma * shift)
    return _kept[sigma, skewed]


def _moments(values):
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _scaled(means, range_):
    return (means - range_[0]) / (range_[1] - range_[0])


def _back(low, high, range_):
    span = range_[1] - range_[0]
    return range_[0] + span * low, range_[0] + span * high


def _unanimous(means, range_, low, high):
    agree = np.ptp(means, axis=0) < 1e-12
    unseen, mean = ours.unseen(len(means)), means.mean(axis=0)
    low = np.where(agree, mean - unseen * (mean - range_[0]), low)
    return low, np.where(agree, mean + unseen * (range_[1] - mean), high)


def _cell(ends, truth):
    low, high = ends
    above, below = (low > truth + 1e-9).mean(), (high < truth - 1e-9).mean()
    width = np.median(high - low)
    text = f"{100 * (1 - above - below):.1f} ({100 * above:.1f}/{100 * below:.1f})"
    return f"{text:>18}{100 * width:6.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("shares", "differences", "total", "bands"))
    parser.add_argument("--draws", type=int, default=2000)
    args = parser.parse_args()
    if args.part in (None, "shares"):
        compare(share_cases, SHARE, args.draws)
    if args.part in (None, "differences"):
        compare(difference_cases, DIFFERENCE, args.draws)
    if args.part in (None, "total"):
        total(args.draws)
    if args.part in (None, "bands"):
        bands(args.draws // 10)


if __name__ == "__main__":
    main()
