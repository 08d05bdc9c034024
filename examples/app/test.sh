# Starts the services that the app needs, runs it, and ends them. ekko-ipc is
# in the path.
cd ../..
folder=$(mktemp -d)
mkfifo "$folder/database" "$folder/notifications"
go build -o "$folder/database-service" ./examples/database-service
"$folder/database-service" >"$folder/database" & database=$!
ekko-ipc run examples/notification-service/service.ts >"$folder/notifications" & notifications=$!
trap 'kill $database $notifications 2>/dev/null || true; rm -rf "$folder"' EXIT
read -r said <"$folder/database"
read -r said <"$folder/notifications"

ekko-ipc run examples/app/app.ts | grep -q '^New user: Grace Hopper$'
