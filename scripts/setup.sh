# Makes .venv and installs HeyGem into it. Sourced by start_app.sh and run_tests.sh, from the repository root.
#
#   setup_venv        the product          afterwards: .venv/bin/python, .venv/bin/heygem
#   setup_venv test   the product and what its tests need
#
# PYTHON chooses the interpreter. Mirrors are pip's business (PIP_INDEX_URL, pip.conf). The work is done again only
# when requirements.txt or pyproject.toml changed; an installation that broke off is simply done again.

say() { printf '%s\n' "$*" >&2; }

suits() { # does this interpreter run, and do the pins install on it?
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

find_python() {
    local python
    for python in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3 python; do
        if suits "$python"; then
            printf '%s\n' "$python"
            return
        fi
    done
    say "需要 Python 3.11 或 3.12。Python 3.11 or 3.12 is needed and was not found."
    say "  apt-get install python3 python3-venv    或 / or    PYTHON=/path/to/python3.11 bash $0"
    return 1
}

make_venv() {
    suits .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1 && return
    local python
    python=$(find_python) || return
    say "正在创建 Python 环境 .venv。Making the Python environment .venv with $python."
    "$python" -m venv --clear .venv && return
    say "创建失败。It failed; on Debian and Ubuntu this helps: apt-get install python3-venv"
    return 1
}

# Both OpenCV wheels that the face libraries ask for need libGL, which slim servers lack; the headless build does not,
# and fills the same folder.
mend_opencv() {
    .venv/bin/python -c 'import cv2' 2>/dev/null && return
    say "没有 libGL，改用无界面版 OpenCV。libGL is missing, so OpenCV without windows is installed."
    .venv/bin/python -m pip install -q --force-reinstall --no-deps opencv-contrib-python-headless==5.0.0.93 &&
        .venv/bin/python -c 'import cv2'
}

setup_venv() {
    local extra=${1:-} target=. quiet='' key
    [ -z "$extra" ] || target=".[$extra]"
    make_venv || return
    key=$(cat requirements.txt pyproject.toml | .venv/bin/python -c \
        'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())') || return
    [ "$(cat ".venv/installed$extra" 2>/dev/null)" = "$key" ] && return
    say "正在安装（第一次需要几分钟）。Installing; the first time takes some minutes."
    [ -t 1 ] || quiet=-q # on a terminal pip shows how far the downloads are
    .venv/bin/python -m pip install $quiet "$(grep '^torch==' requirements.txt)" &&
        .venv/bin/python -m pip install $quiet -e "$target" &&
        mend_opencv || return
    printf '%s\n' "$key" >".venv/installed$extra"
    printf '%s\n' "$key" >.venv/installed # whatever the extra is, the product is part of it
}
