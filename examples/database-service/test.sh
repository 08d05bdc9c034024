# Starts the service, uses it, and ends it. ekko-ipc is in the path.
cd ../..
folder=$(mktemp -d)
mkfifo "$folder/said"
go build -o "$folder/database-service" ./examples/database-service
"$folder/database-service" >"$folder/said" & service=$!
trap 'kill $service 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r said <"$folder/said" # that it is ready

test "$(ekko-ipc call database-service.getUserById 123)" = '{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}'
test "$(ekko-ipc call database-service.exportUsers --count 1)" = '{"id":123,"name":"Ada Lovelace","email":"ada@example.com"}'
