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
pid_file=$state/heygem.pid # number and birth of the process
start_log=$state/start.log # what it prints: its addresses, or why it did not start

usage() {
    cat <<'TEXT'
用法 Usage: bash start_app.sh [--host HOST] [--port PORT] [--background]
            bash start_app.sh stop [--force] | status | logs [N] | --help

  --host HOST    监听地址，默认 0.0.0.0（所有网络）；127.0.0.1 = 只限本机
                 address to listen on; 127.0.0.1 keeps the page to this machine
  --port PORT    端口，默认 7860                      port
  --background   在后台运行，关掉终端也不停            keep running when the terminal closes

  stop           停止后台运行的页面，最多等 30 秒      stop what --background started, within 30 seconds
  stop --force   30 秒后仍未退出就强行结束             … and end it the hard way after that
  status         是否在运行（退出码 0 运行，3 未运行） is it running? (exit code 0 yes, 3 no)
  logs           跟着看日志，Ctrl-C 结束               follow the log until Ctrl-C
  logs N         只看最后 N 行                         its last N lines
  --help         显示本说明                            this text

其他设置 Other settings: HEYGEM_* 环境变量或 .env 文件 (environment or .env)
TEXT
}

refuse() { usage >&2; fail "$@"; }

setting() { # $1: name, $2: default; from the environment, else from .env, as app.py reads it
    local value=${!1:-}
    [[ -n $value || ! -f .env ]] || value=$(sed -nE "s/^\xEF\xBB\xBF//; s/\r$//; s/^[[:space:]]*(export )?$1[[:space:]]*=[[:space:]]*//p" .env | tail -n 1)
    value=${value%%[[:space:]]#*}
    value=${value%"${value##*[![:space:]]}"} value=${value#[\"\']} value=${value%[\"\']}
    printf '%s\n' "${value:-$2}"
}

birth() { # of a process that lives: a recycled number has another one
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    set -- ${stat##*) } # what stands after the name, which may contain anything
    [[ $1 != Z ]] && echo "${20}"
}

running() { # sets pid and born; the process of the pid file lives, was born then, and is the app.py of this folder
    read -r pid born 2>/dev/null <"$pid_file" || return 1
    [[ $pid =~ ^[0-9]+$ && $(birth "$pid") == "$born" ]] || return 1
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -Fxq -- "$root/app.py"
}

address() { grep -o 'http://[^ ]*' "$start_log" 2>/dev/null | head -n 1; }

log_file() { # a folder that is not absolute is meant from here, as app.py is started from here
    local file
    file=$(setting HEYGEM_LOG_FILE "$(setting HEYGEM_OUTPUTS "$state")/运行实时日志.log")
    [[ $file != '~'/* ]] || file=$HOME/${file#'~/'}
    printf '%s\n' "$file"
}

stop() { # $1: --force or nothing
    running || { rm -f -- "$pid_file"; say "没有在后台运行的页面。 Nothing is running in the background."; return; }
    say "正在停止，最多等 30 秒；进行中的任务会回到队列…… Stopping, within 30 seconds; the current job goes back to the queue"
    kill -TERM "$pid"
    wait_for_end 300 || {
        [[ $1 == --force ]] || fail "进程 $pid 还没有退出。请稍后再看，或用 stop --force 强行结束。" \
            "Process $pid has not ended yet. Look again later, or end it with: bash start_app.sh stop --force"
        kill -KILL -- "-$pid" # the page and its workers: setsid made them a group of their own
        wait_for_end 50 || fail "进程 $pid 无法结束。 Process $pid cannot be ended."
    }
    rm -f -- "$pid_file"
    say "已停止。 Stopped."
}

wait_for_end() { # $1: tenths of a second
    local n
    for ((n = 0; n < $1; n++)); do
        [[ $(birth "$pid") == "$born" ]] || return 0
        sleep 0.1
    done
    return 1
}

status() {
    running || { say "未在后台运行。 Not running in the background."; exit 3; }
    local url
    url=$(address) || url=
    say "正在运行，进程 $pid。 Running, process $pid."
    say "地址 Address: ${url:-还没有就绪 not ready yet}"
    [[ -z $url ]] || say "健康 Health: $(health "$url/health")"
    say "日志 Log: $(log_file)"
    tail -n 1 -- "$(log_file)" 2>/dev/null || true
}

health() { # never through a proxy: it is this machine that is asked
    local code
    code=$("$python" - "$1" 2>/dev/null <<'PYTHON'
import sys, urllib.error, urllib.request
try:
    print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(sys.argv[1], timeout=3).status)
except urllib.error.HTTPError as error:
    print(error.code)
PYTHON
    ) || code=
    case $code in
        200) echo "正常 fine" ;;
        404) echo "页面有回答，但没有健康检查 the page answers but has no health check" ;;
        '') echo "3 秒内没有回答 no answer within 3 seconds" ;;
        *) echo "有问题，回答 $code，详见日志 not well, it answers $code; see the log" ;;
    esac
}

logs() { # $1: how many lines, or nothing
    local file
    file=$(log_file)
    [[ -f $file ]] || fail "还没有日志 $file  There is no log yet."
    [[ -z $1 ]] || { tail -n "$1" -- "$file"; exit; }
    exec tail -n 50 -F -- "$file"
}

check_port() { # $1: host, $2: port; before anything is installed or started. app.py looks again.
    [[ $2 =~ ^[0-9]{1,5}$ ]] && ((10#$2 >= 1 && 10#$2 <= 65535)) ||
        fail "端口不能是“$2”，请用 1 到 65535。 The port cannot be “$2”; choose 1 to 65535."
    local host=$1 owner
    [[ $host != 0.0.0.0 && $host != :: ]] || host=127.0.0.1
    timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/$2"' _ "$host" "$2" 2>/dev/null || return 0
    owner=$(ss -Hltnp "sport = :$2" 2>/dev/null | grep -o 'users:.*' | head -n 1) || owner=
    fail "端口 $2 已被占用${owner:+（$owner）}，请用 --port 换一个；占用它的程序没有被动过。" \
        "Port $2 is in use; choose another with --port. The program that uses it was left alone."
}

background() {
    setsid "$python" "$root/app.py" --quiet "$@" </dev/null >"$start_log" 2>&1 9>&- &
    pid=$!
    echo "$pid $(birth "$pid")" >"$pid_file"
    local n
    for ((n = 0; n < 600; n++)); do
        if grep -q '^日志 Log:' "$start_log"; then
            cat -- "$start_log"
            say "查看 See: bash start_app.sh status | logs    停止 Stop: bash start_app.sh stop"
            return
        fi
        kill -0 "$pid" 2>/dev/null || { rm -f -- "$pid_file"; cat -- "$start_log" >&2; fail "页面没有启动。 The page did not start."; }
        sleep 0.1
    done
    fail "60 秒后页面仍未就绪，它还在启动；详见 $start_log  The page is still starting after 60 seconds; see that file."
}

start() { # $1: foreground or background; then the options of app.py
    local mode=$1
    shift
    if running; then fail "页面已在后台运行，先停止： It is already running; stop it first: bash start_app.sh stop"; fi
    check_port "${host:-$(setting HEYGEM_HOST 0.0.0.0)}" "${port:-$(setting HEYGEM_PORT 7860)}"
    exec 9>"$state/start.lock"
    flock -n 9 || fail "另一个 start_app.sh 正在安装或启动。 Another start_app.sh is installing or starting."
    setup_venv
    check_disk 1 "运行"
    [[ $mode == foreground ]] || { background "$@"; exit; }
    exec "$python" "$root/app.py" "$@" 9>&-
}

main() {
    local mode=foreground host='' port='' more=''
    case ${1:-} in
        stop | --stop | status | logs) mode=${1#--}; shift ;;
        --help | -h) usage; exit ;;
    esac
    while (($#)); do
        case $mode:$1 in
            *ground:--host | *ground:--port)
                [[ -n ${2:-} ]] || fail "$1 缺少值。 $1 needs a value."
                [[ $1 == --host ]] && host=$2 || port=$2
                shift
                ;;
            *ground:--background) mode=background ;;
            stop:--force) more=$1 ;;
            logs:*) [[ $1 =~ ^[0-9]+$ && -z $more ]] || refuse "logs 后面只能是行数。 After logs comes a number of lines: $1"; more=$1 ;;
            *) refuse "未知选项 $1  Unknown option $1" ;;
        esac
        shift
    done
    mkdir -p -- "$state"
    case $mode in
        stop | logs) "$mode" "$more" ;;
        status) status ;;
        *) start "$mode" ${host:+--host "$host"} ${port:+--port "$port"} ;;
    esac
}

main "$@"
