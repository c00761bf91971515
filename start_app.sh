#!/usr/bin/env bash
# Starts the page of HeyGem with one command: makes .venv, installs what is missing into it, checks, serves.
# Nothing outside this folder is installed or changed, nothing is run through sudo, and no process is stopped
# that this script did not start.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
venv=$root/.venv
python=$venv/bin/python
state=$root/outputs
pid_file=$state/heygem.pid
start_log=$state/start.log

usage() {
    cat <<'TEXT'
用法 Usage: bash start_app.sh [--host HOST] [--port PORT] [--background | --stop | --help]

  --host HOST    监听地址，默认 0.0.0.0（所有网络）；127.0.0.1 = 只限本机
                 address to listen on; 127.0.0.1 keeps the page to this machine
  --port PORT    端口，默认 7860                      port
  --background   在后台运行，关掉终端也不停            keep running when the terminal closes
  --stop         停止用 --background 启动的页面        stop what --background started
  --help         显示本说明                           this text

其他设置 Other settings: HEYGEM_* 环境变量或 .env 文件 (environment or .env)
TEXT
}

say() { printf '%s\n' "$*"; }
fail() { printf '错误 Error: %s\n' "$@" >&2; exit 1; }

running() { # the process of the pid file lives and is our app.py, not a stranger with a recycled number
    local pid
    pid=$(cat -- "$pid_file" 2>/dev/null) || return 1
    [[ $({ tr '\0' ' ' <"/proc/$pid/cmdline" || ps -p "$pid" -o args=; } 2>/dev/null) == *"$root/app.py"* ]]
}

stop() {
    running || { rm -f -- "$pid_file"; say "没有在后台运行的页面。 Nothing is running in the background."; return; }
    local pid
    pid=$(cat -- "$pid_file")
    kill -TERM "$pid"
    for _ in {1..100}; do
        running || { rm -f -- "$pid_file"; say "已停止。 Stopped."; return; }
        sleep 0.1
    done
    fail "进程 $pid 没有在 10 秒内退出。 Process $pid did not end within 10 seconds."
}

find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.10 python3 python; do
        if command -v "$candidate" >/dev/null &&
            "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "需要 Python 3.10、3.11 或 3.12，没有找到。请先安装，例如：sudo apt install python3.11 python3.11-venv" \
        "Python 3.10, 3.11 or 3.12 is needed and was not found."
}

make_venv() {
    [[ -x $python ]] && return
    local base
    base=$(find_python)
    "$base" -c 'import venv, ensurepip' 2>/dev/null ||
        fail "Python 缺少 venv 模块。请安装，例如：sudo apt install $(basename "$base")-venv" \
            "$base has no venv module; install it, for example with the command above."
    say "正在创建 .venv（$base）…… Creating .venv"
    "$base" -m venv "$venv"
}

check_disk() { # $1: gigabytes that are needed, $2: for what
    local free
    free=$(df -Pk -- "$root" | awk 'NR == 2 { print int($4 / 1048576) }')
    ((free >= $1)) || fail "磁盘空间不足：$2需要 $1 GB，只剩 $free GB（$root）。" \
        "The disk is too full: $1 GB are needed, $free GB are left."
}

install() { # only when requirements.txt has changed since the last time
    # A machine with an NVIDIA GPU and one without take the same torch; for another CUDA version than the default,
    # install torch and torchaudio into .venv by hand first: their pins are then already satisfied.
    local stamp=$venv/.requirements
    cmp -s -- "$root/requirements.txt" "$stamp" && return
    check_disk 8 "安装"
    say "正在安装依赖，第一次需要几分钟…… Installing, some minutes the first time"
    say "（下载慢时可以设置 PIP_INDEX_URL 使用镜像 a mirror can be set with PIP_INDEX_URL）"
    "$python" -m pip install --disable-pip-version-check --quiet -r "$root/requirements.txt" ||
        fail "安装没有成功，原因见上面几行；网络恢复后再运行一次即可。" "Installing failed; see above, then run this again."
    cp -- "$root/requirements.txt" "$stamp"
}

check_opencv() { # servers have no libGL; the headless build of the same version does without
    "$python" -c 'import cv2' 2>/dev/null && return
    say "系统没有 libGL，改装无界面版 OpenCV…… No libGL here: switching to headless OpenCV"
    "$python" -m pip install --disable-pip-version-check --quiet --force-reinstall --no-deps \
        opencv-contrib-python-headless==5.0.0.93 ||
        fail "无界面版 OpenCV 没有装上。 Headless OpenCV could not be installed."
    "$python" -c 'import cv2' || fail "OpenCV 仍然无法导入，原因见上一行。 OpenCV still cannot be imported; see above."
}

background() {
    nohup "$python" "$root/app.py" --quiet "$@" </dev/null >"$start_log" 2>&1 &
    local pid=$!
    echo "$pid" >"$pid_file"
    for _ in {1..600}; do
        if grep -q "http://" "$start_log"; then
            cat -- "$start_log"
            say "停止 To stop: bash start_app.sh --stop"
            return
        fi
        kill -0 "$pid" 2>/dev/null || { rm -f -- "$pid_file"; cat -- "$start_log" >&2; fail "页面没有启动。 The page did not start."; }
        sleep 0.1
    done
    fail "60 秒后页面仍未就绪，详见 $start_log  The page is not ready after 60 seconds; see that file."
}

main() {
    local mode=foreground options=()
    while (($#)); do
        case $1 in
            --host | --port) (($# > 1)) || fail "$1 缺少值。 $1 needs a value."; options+=("$1" "$2"); shift 2 ;;
            --background) mode=background; shift ;;
            --stop) mode=stop; shift ;;
            --help | -h) usage; exit ;;
            *) usage >&2; fail "未知选项 $1  Unknown option $1" ;;
        esac
    done
    mkdir -p -- "$state"
    [[ $mode != stop ]] || { stop; exit; }
    if running; then fail "页面已在后台运行，先用 --stop 停止。 It is already running; stop it with --stop first."; fi
    make_venv
    install
    check_disk 1 "运行"
    check_opencv
    cd -- "$root"
    [[ $mode == foreground ]] || { background ${options[@]+"${options[@]}"}; exit; }
    exec "$python" "$root/app.py" ${options[@]+"${options[@]}"}
}

main "$@"
