// Command database-service keeps users in SQLite and serves them to whoever
// imports 'ipc:database-service'.
//
//	go run ./examples/database-service [-data users.db]
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/ekkojs/ipc"
)

//go:embed database-service.ekko.ipc.json
var promise []byte

func main() {
	data := flag.String("data", "", "keep the users in this `file` (default: in memory)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, done := underGoRun(ctx)
	defer done()
	if err := run(ctx, *data); err != nil {
		fmt.Fprintln(os.Stderr, "database-service:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, data string) error {
	promised, err := ipc.ParseManifest(promise)
	if err != nil {
		return err
	}
	table, err := openUsers(ctx, data)
	if err != nil {
		return err
	}
	defer table.Close()

	service := ipc.NewService(promised, &ipc.ServiceOptions{Ready: func(addresses []string) {
		fmt.Println("database-service ready on", strings.Join(addresses, " "))
	}})
	ipc.Handle(service, "getUserById", table.byID)
	ipc.HandleStream(service, "exportUsers", func(ctx context.Context, _ struct{}) iter.Seq2[user, error] { return table.all(ctx) })
	// The manifest says that this is idempotent: the library carries a call out
	// once, however often it is sent, and after the two minutes for which it
	// remembers that, the address is taken.
	ipc.Handle(service, "createUser", func(ctx context.Context, n newUser) (user, error) {
		added, err := table.create(ctx, n)
		if err != nil {
			return user{}, err
		}
		return added, service.Publish(ctx, "user.created", userCreated{added.ID, added.Name, now()})
	})
	return service.Serve(ctx)
}

// userCreated is the data of the event user.created.
type userCreated struct {
	ID        int64  `json:"id"`
	Name      string `json:"name"`
	Timestamp string `json:"timestamp"`
}

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }
