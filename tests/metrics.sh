#!/bin/sh
# Metrics and segments of `compare` against their definitions, worked out of the exported run and qrels by another program.
tailor=${TAILOR:-./tailor}
case $tailor in /*) ;; *) tailor=$PWD/$tailor ;; esac
datasets=$(cd "${DATASETS_DIR:-$(dirname "$0")/../datasets}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
export TAILOR_DATASETS="$datasets"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
if ! python3 -c 'import json' 2>/dev/null; then
  echo '1..0 # SKIP no python3'
  exit 0
fi
echo 1..1
cat >script <<'EOF'
load shop
split random 40%
train itemknn pop
export run itemknn.run with itemknn k=20
export run pop.run with pop k=20
export qrels right.qrels
export events known.csv part=train
compare metric=ndcg@10 recall@10 precision@10 hit@10 rprec@10 map@10 mrr@10 rbp@10 ndcg_linear@10 ndcg_exp@10 ndcg@5 map@20 rbp@20 auc with itemknn pop by=category > compare.json
EOF
if "$tailor" --no-init --output json -f script >log 2>&1 </dev/null &&
  python3 "$here/metrics.py" compare.json right.qrels known.csv "$datasets/shop/items.csv" itemknn=itemknn.run pop=pop.run >wrong 2>&1; then
  echo 'ok 1 - metrics are what the run and the qrels say'
else
  echo 'not ok 1 - metrics are what the run and the qrels say'
  sed 's/^/# /' log wrong 2>/dev/null
  exit 1
fi
