# Makes .venv and installs HeyGem into it. Sourced by start_app.sh and run_tests.sh; everything runs in the repository root.
#
#   setup_venv        the product          afterwards: .venv/bin/python, .venv/bin/heygem
#   setup_venv test   the product and what its tests need
#
# PYTHON chooses the interpreter. Mirrors are pip's business (PIP_INDEX_URL, pip.conf). Nothing outside .venv is changed.
# The work is done again only when requirements.txt or pyproject.toml changed; what broke off is simply done again.

say() { printf '%s\n' "$*"; }
fail() { printf '错误 Error: %s\n' "$@" >&2; exit 1; }

suits() { # does this interpreter run, and do the pins install on it?
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' >/dev/null 2>&1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3.11 python3.12 python3 python; do
        suits "$candidate" && { command -v "$candidate"; return; }
    done
    fail "需要 Python 3.11 或 3.12，没有找到。请先安装，或用 PYTHON=/path/to/python3.11 指定。" \
        "Python 3.11 or 3.12 is needed and was not found. Install it, or name it: PYTHON=/path/to/python3.11"
}

make_venv() {
    suits .venv/bin/python && return
    local base
    base=$(find_python) || exit
    "$base" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python 缺少 venv 模块。请安装，例如：sudo apt install $(basename "$base")-venv" \
            "$base has no venv module; install it, for example with the command above."
    say "正在创建 .venv（$base）…… Creating .venv"
    "$base" -m venv --clear .venv || fail "没有创建成功，原因见上面几行。 It could not be created; see above."
}

check_disk() { # $1: gigabytes that are needed, $2: for what
    local free
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge "$1" ] || fail "磁盘空间不足：$2需要 $1 GB，只剩 $free GB（$PWD）。" \
        "The disk is too full: $1 GB are needed, $free GB are left."
}

mend_opencv() { # servers have no libGL; the headless build of the same version does without and fills the same folder
    .venv/bin/python -c 'import cv2' 2>/dev/null && return
    say "系统没有 libGL，改装无界面版 OpenCV…… No libGL here: switching to headless OpenCV"
    .venv/bin/python -m pip install -q --force-reinstall --no-deps opencv-contrib-python-headless==5.0.0.93 ||
        fail "无界面版 OpenCV 没有装上。 Headless OpenCV could not be installed."
    .venv/bin/python -c 'import cv2' || fail "OpenCV 仍然无法导入，原因见上一行。 OpenCV still cannot be imported; see above."
}

# With and without an NVIDIA GPU the same torch is installed; for another CUDA version than its default, install torch
# and torchaudio into .venv by hand first: their pins are then satisfied. torch brings the setuptools of the last step.
install_libraries() {
    local quiet=''
    [ -t 1 ] || quiet=-q # on a terminal pip shows how far the downloads are
    .venv/bin/python -m pip install $quiet "$(grep '^torch==' requirements.txt)" &&
        .venv/bin/python -m pip install $quiet -r requirements.txt
}

install() {
    install_libraries && .venv/bin/python -m pip install -q --no-build-isolation -e "$1"
}

setup_venv() {
    local extra=${1:-} target=. key
    [ -z "$extra" ] || target=".[$extra]"
    make_venv
    key=$(cat requirements.txt pyproject.toml scripts/setup.sh | cksum)
    if [ "$(cat ".venv/installed$extra" 2>/dev/null)" != "$key" ]; then
        check_disk 8 "安装"
        say "正在安装依赖，第一次需要几分钟…… Installing, some minutes the first time"
        say "（下载慢时可以设置 PIP_INDEX_URL 使用镜像 a mirror can be set with PIP_INDEX_URL）"
        install "$target" ||
            fail "安装没有成功，原因见上面几行；网络恢复后再运行一次即可。" "Installing failed; see above, then run this again."
    fi
    mend_opencv
    printf '%s\n' "$key" >".venv/installed$extra"
    printf '%s\n' "$key" >.venv/installed # whatever the extra is, the product is part of it
}
