"""Metrics out of a TREC run and qrels alone, by their definitions, against what `compare` says: tests/metrics.sh.

metrics.py COMPARE.json QRELS KNOWN.csv ITEMS.csv MODEL=RUN ...    prints what differs by more than 1e-9; 1 when something does
"""
import bisect
import collections
import csv
import json
import math
import sys


def read_run(path):
    lists = collections.defaultdict(list)
    for line in open(path):
        query, _, item, rank, _, _ = line.split()
        lists[query].append((int(rank), item))
    return {query: [item for _, item in sorted(found)] for query, found in lists.items()}


def read_qrels(path):
    right = collections.defaultdict(dict)
    for line in open(path):
        query, _, item, grade = line.split()
        right[query][item] = float(grade)
    return right


def metrics(items, right):
    """Of one list; right: grades by item."""
    n, r = len(right), {}
    hit = [item in right for item in items]
    found = lambda k: sum(hit[:k])
    ideal = sorted(right.values(), reverse=True)
    def gain(grades, f):
        return sum(f(g) / math.log2(i + 2) for i, g in enumerate(grades) if g > 0)
    for k in 5, 10, 20:
        graded = [right.get(item, 0) for item in items[:k]]
        r[f"recall@{k}"] = found(k) / n
        r[f"precision@{k}"] = found(k) / k
        r[f"hit@{k}"] = float(found(k) > 0)
        r[f"rprec@{k}"] = found(min(n, k)) / min(n, k)
        r[f"map@{k}"] = sum(found(i + 1) / (i + 1) for i in range(min(k, len(items))) if hit[i]) / n
        r[f"mrr@{k}"] = max([1 / (i + 1) for i in range(min(k, len(items))) if hit[i]], default=0)
        r[f"rbp@{k}"] = .2 * sum(.8 ** i for i in range(min(k, len(items))) if hit[i])
        r[f"ndcg@{k}"] = gain(hit[:k], float) / gain([1] * min(k, n), float)
        r[f"ndcg_linear@{k}"] = gain(graded, float) / gain(ideal[:k], float)
        r[f"ndcg_exp@{k}"] = gain(graded, lambda g: 2 ** g - 1) / gain(ideal[:k], lambda g: 2 ** g - 1)
    return r


def auc_of_counts(known, right, items):
    """Mean over users of auc when items are scored by how many events they have: equal scores count half."""
    score = collections.Counter(item for _, item in known)
    seen = collections.defaultdict(set)
    for user, item in known:
        seen[user].add(item)

    def of_user(user):
        others = sorted(score[item] for item in items if item not in right[user] and item not in seen[user])
        won = [bisect.bisect_left(others, score[item]) + bisect.bisect_right(others, score[item]) for item in right[user]]
        return mean(won) / 2 / len(others)

    return mean([of_user(user) for user in right])


def mean(values):
    return sum(values) / len(values)


def main(compared, qrels, known, items, *runs):
    said = json.load(open(compared))
    right = read_qrels(qrels)
    lists = {run.split("=")[0]: read_run(run.split("=")[1]) for run in runs}
    category = {row["id"]: row["category"] for row in csv.DictReader(open(items, encoding="utf-8"))}
    known = [(row["user"], row["item"]) for row in csv.DictReader(open(known, encoding="utf-8"))]
    wrong = checked = 0

    def check(what, value, mine):
        nonlocal wrong, checked
        checked += 1
        if value is None or abs(value - mine) > 1e-9:
            wrong += 1
            print(f"{what}: {value}, by the run {mine}")

    for row in said["leaderboard"]:
        of_users = [metrics(lists[row["model"]].get(user, []), grades) for user, grades in right.items()]
        for name in of_users[0]:
            if name in row:
                check(f"{row['model']} {name}", row[name], mean([m[name] for m in of_users]))
        if row["model"] == "pop":
            check("pop auc", row["auc"], auc_of_counts(known, right, category))
    for row in said["item_segments"]:
        inside = {user: {item for item in grades if category.get(item) == row["segment"]} for user, grades in right.items()}
        inside = {user: some for user, some in inside.items() if some}
        check(f"{row['segment']} users", row["users"], len(inside))
        check(f"{row['segment']} right", row["right"], sum(map(len, inside.values())))
        for model, found in lists.items():
            recalls = [len(some & set(found.get(user, [])[:10])) / len(some) for user, some in inside.items()]
            check(f"{model} {row['segment']}", row[model], mean(recalls))
    print(f"{checked} numbers, {wrong} wrong")
    return wrong > 0 or checked < 30


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
