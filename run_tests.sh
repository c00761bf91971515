#!/usr/bin/env bash
# From a fresh clone to "N passed": the environment, lint, types, tests. Arguments go to pytest: bash run_tests.sh -x tests/media
set -uo pipefail
cd "$(dirname "$0")" || exit
. scripts/setup.sh

# The tests of the page need a browser (the one without windows takes a third less work), and a font with Chinese signs
# for its pictures. Without root they skip and say so.
install_browser() {
    local wanted=()
    command -v chromium-headless-shell chromium chromium-browser google-chrome >/dev/null || wanted+=(chromium-headless-shell)
    [ -n "$(fc-list :lang=zh 2>/dev/null)" ] || wanted+=(fontconfig fonts-noto-cjk)
    [ ${#wanted[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    say "正在安装测试用的浏览器和字体。Installing for the tests of the page: ${wanted[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"; } \
        >/dev/null 2>&1 || say "没有装上，页面测试会跳过。That failed; the tests of the page will skip."
}

setup_venv test
install_browser
failed=0
.venv/bin/ruff check . || failed=1
.venv/bin/ruff format --check . || failed=1
[ $failed = 0 ] || say "ruff 有问题，见上。ruff found something, see above."
# The types are checked beside the tests.
types=$(mktemp)
nice .venv/bin/pyright >"$types" 2>&1 &
checker=$!
trap 'kill $checker 2>/dev/null; rm -f "$types"' EXIT
# A process a core and one more, as many tests wait; a file stays in one process, files in our order.
processes=$(($(nproc) < 4 ? $(nproc) + 1 : 4))
# A browser that waited in vain is asked once more, and the summary says so: on two busy cores a page may need its minute.
again=(--reruns 1 --only-rerun '^TimeoutError: (Page|Locator|Frame)\.' -r fER)
.venv/bin/python -m pytest -n $processes --dist loadscope --no-loadscope-reorder "${again[@]}" "$@" || failed=1
wait $checker || { failed=1; cat "$types"; say "pyright 有问题，见上。pyright found something, see above."; }
exit $failed
