# supervise.sh FOLDER IDLE_MINUTES SIGNAL COMMAND…
# Runs COMMAND and ends it by SIGNAL when no test process has used it for IDLE_MINUTES, or on TERM when none uses it
# now. A test process holds FOLDER/users.lock shared for as long as it lives, so a server is never taken from one.
folder=$1
idle=$2
signal=$3
shift 3
"$@" &
server=$!
asked=no
trap 'asked=yes' TERM
trap '' HUP INT
while kill -0 "$server" 2>/dev/null; do
    if [ "$asked" = yes ] || [ -z "$(find "$folder/used" -mmin "-$idle" 2>/dev/null)" ]; then
        asked=no
        # Without the lock file, because somebody cleaned up, there is nobody to wait for.
        [ ! -e "$folder/users.lock" ] || exec 9<"$folder/users.lock"
        if [ ! -e "$folder/users.lock" ] || flock --nonblock --exclusive 9; then
            rm -f "$folder/port"
            kill -s "$signal" "$server"
            while kill -0 "$server" 2>/dev/null; do
                wait "$server"
            done
            rm -rf "$folder/data"
            exit 0
        fi
        exec 9<&-
    fi
    sleep 5 &
    wait $!
done
