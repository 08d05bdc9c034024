# Starts the service, uses it, and ends it. ekko-ipc is in the path.
cd ../..
folder=$(mktemp -d)
mkfifo "$folder/said"
ekko-ipc run examples/notification-service/service.ts >"$folder/said" & service=$!
trap 'kill $service 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r said <"$folder/said" # that it is ready

ekko-ipc call notification-service.notify Ada 'the engine is ready'
ekko-ipc call notification-service.recent 1 | grep -q 'the engine is ready'

# Who comes later still gets the note; and so does a mailer, once.
ekko-ipc sub notification-service notes --from first --count 1 | grep -q 'the engine is ready'
ekko-ipc sub notification-service outbox --group mailers --count 1 | grep -q 'the engine is ready'
test "$(ekko-ipc queue ls notification-service | grep -c '"waiting":0')" = 1
