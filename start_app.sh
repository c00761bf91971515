#!/usr/bin/env bash
# Starts the page of HeyGem with one command: makes .venv, installs what is missing into it, checks, serves.
# Nothing outside this folder is installed or changed, nothing is run through sudo, and no process is stopped
# that this script did not start.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
cd -- "$root"
. scripts/setup.sh
python=$root/.venv/bin/python
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
    setup_venv
    check_disk 1 "运行"
    [[ $mode == foreground ]] || { background ${options[@]+"${options[@]}"}; exit; }
    exec "$python" "$root/app.py" ${options[@]+"${options[@]}"}
}

main "$@"
