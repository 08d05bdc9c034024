# Starts the service, uses it, and ends it. ekko-ipc is in the path.
cd ../..
command -v python3 >/dev/null || exit 0 # nothing to show without Python
folder=$(mktemp -d)
mkfifo "$folder/said"
python3 examples/python-service/service.py >"$folder/said" & service=$!
trap 'kill $service 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r said <"$folder/said" # that it is ready

test "$(ekko-ipc call python-service.countWords 'so far so good' 1)" = '{"words":4,"distinct":3,"top":["so"]}'
