#!/bin/sh
# One walk through the screen under tmux, as people use it: train by menu, look at a user, leave.
echo 1..1
tmux -V >/dev/null 2>&1 || { echo "ok 1 - walk under tmux # SKIP no tmux here"; exit 0; }
socket=tailor-test-$$
mux() { tmux -L "$socket" -f /dev/null "$@"; }
trap 'mux kill-server 2>/dev/null' EXIT
fail() { echo "not ok 1 - walk under tmux: $1"; mux capture-pane -p | sed 's/^/# /'; exit 0; }
# Waits for words on the screen, 20 s at most.
seen() {
    tries=0
    until mux capture-pane -p | grep -qF -- "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 200 ] || fail "no \"$1\""
        sleep 0.1
    done
}
mux new-session -d -x 100 -y 30 "TERM=screen-256color '$TAILOR' --no-init -c 'load tiny' -c 'split last 1' -c 'train pop' --ui; echo left; read -r end" ||
    { echo "ok 1 - walk under tmux # SKIP tmux does not start"; exit 0; }
seen "[4 User]"
mux send-keys 2; seen "leaderboard"
mux send-keys t; seen "what kind of model?"
mux send-keys e a s e Enter; seen "lambda"
mux send-keys 1 Enter; seen "1 of 2"
mux send-keys 4; seen "─ ease"
mux send-keys Space; seen "whatif "
mux send-keys q; seen "[2 Models]"
mux send-keys Q; seen "left"
echo "ok 1 - walk under tmux"
