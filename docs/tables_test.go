// Package docs_test writes those tables of the documentation that code knows
// best, and makes sure that they are up to date.
package docs_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/filter"
	"github.com/ekkojs/ipc/internal/group"
	"github.com/ekkojs/ipc/internal/hub"
	"github.com/ekkojs/ipc/internal/session"
	"github.com/ekkojs/ipc/internal/spare"
	"github.com/ekkojs/ipc/manifest"
	"github.com/ekkojs/ipc/store"
	"github.com/ekkojs/ipc/store/disk"
	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/wire"
)

//go:generate go test -run TestTables -update .
//go:generate go run -C ../bench . -from results.json -readme ../README.md -plot ../docs/bench.svg

var update = flag.Bool("update", false, "write the tables anew")

func TestTables(t *testing.T) {
	for _, page := range []struct {
		path, name, table string
	}{
		{"errors.md", "codes", codes()},
		{"../spec/protocol.md", "codes", codes()},
		{"limits.md", "limits", table(slices.Concat(limits(), eventLimits()))},
		{"events.md", "events", table(eventLimits())},
	} {
		old, err := os.ReadFile(page.path)
		if err != nil {
			t.Fatal(err)
		}
		now, err := replace(string(old), page.name, page.table)
		if err != nil {
			t.Errorf("%s: %v", page.path, err)
			continue
		}
		if now == string(old) {
			continue
		}
		if !*update {
			t.Errorf("the table %s in %s is not what the code says: run go generate ./docs", page.name, page.path)
			continue
		}
		if err := os.WriteFile(page.path, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// replace puts table between the marks of that name.
func replace(text, name, table string) (string, error) {
	begin, end := "<!-- generated: "+name+" -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(text, begin)
	if !ok {
		return "", fmt.Errorf("there is no mark %q", begin)
	}
	_, after, ok := strings.Cut(rest, end)
	if !ok {
		return "", fmt.Errorf("there is no mark %q after %q", end, begin)
	}
	return before + begin + table + end + after, nil
}

func codes() string {
	var b strings.Builder
	b.WriteString("| code | meaning | executed | ask again? | by |\n|---|---|---|---|---|\n")
	for _, c := range wire.Codes() {
		executed := string(c.Executed)
		if executed == "" {
			executed = "–"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Code, c.Meaning, executed, c.Retryable, c.MadeBy)
	}
	return b.String()
}

// limit is a row of a table: what, how much, at most, set by.
type limit [4]string

func limits() []limit {
	w, bytes := wire.DefaultLimits, size
	return []limit{
		{"frame", bytes(transport.DefaultMaxFrame), bytes(transport.MaxMaxFrame), "`ClientOptions.MaxFrame`, `ServiceOptions.MaxFrame`"},
		{"depth of a message's JSON", count(w.MaxDepth), "", ""},
		{"members of one object", count(w.MaxMembers), "", ""},
		{"values and names in one message", count(w.MaxTokens), "", ""},
		{"connections of a service", count(ipc.DefaultMaxConnections), "", "`ServiceOptions.MaxConnections`, `maxConnections` in the manifest"},
		{"calls outstanding on a client's connection", count(session.DefaultMaxPending), "", "`ClientOptions.MaxPending`"},
		{"requests of one connection running or waiting", count(session.DefaultMaxInFlight), "", "`ServiceOptions.MaxInFlight`"},
		{"handlers of a service running", count(ipc.DefaultMaxConcurrent), "", "`ServiceOptions.MaxConcurrent`"},
		{"handlers of one method running", "as those of the service", "", "`concurrency` in the manifest"},
		{"requests waiting, for each of these", count(ipc.DefaultMaxQueued), "", "`ServiceOptions.MaxQueued`"},
		{"requests waiting, all together", bytes(ipc.MaxQueuedBytes), "", ""},
		{"wait in a queue while more comes than is done", span(ipc.DefaultQueueDelay), "", "`ServiceOptions.QueueDelay`"},
		{"outcomes kept for repeated requests", count(ipc.MaxDedupeOutcomes) + " and " + bytes(ipc.MaxDedupeBytes) + ", for " + span(ipc.DefaultDedupeWindow), "", "`ServiceOptions.DedupeWindow`"},
		{"idempotency key", bytes(ipc.MaxIdempotencyKey), "", ""},
		{"requests waiting for the outcome of one", count(ipc.MaxDuplicates), "", ""},
		{"retries of one call", count(ipc.DefaultMaxRetries), "one in ten of all calls", "`ClientOptions.MaxRetries`"},
		{"items of a stream under way, or waiting for a reader", bytes(session.StreamWindow), "and one item", ""},
		{"items of a client's stream before the service has granted more", bytes(session.StreamCredit), "and one item", ""},
		{"silence while something is expected", span(session.DefaultPingInterval) + ", then two pings", "", "`ClientOptions.PingInterval`"},
		{"memory kept for long frames", bytes(spare.Most) + ", for 2 s", "", ""},
		{"bytes waiting to be written to a peer", bytes(session.DefaultMaxOutbox), "", ""},
		{"one write", span(transport.DefaultWriteTimeout), "", ""},
		{"from the first byte of a message to its last", span(transport.DefaultFrameTimeout), "", "`ServiceOptions.FrameTimeout`"},
		{"deadline of a call", span(session.DefaultTimeout), span(session.MaxTimeout), "the context, `timeout` in the manifest, `ClientOptions.Timeout`"},
		{"running calls when a service ends", span(ipc.DefaultDrainTimeout), "", "`ServiceOptions.DrainTimeout`"},
		{"path of a socket", bytes(transport.MaxPath), "", ""},
		{"name of a Windows pipe", bytes(transport.MaxPipeName), "", ""},
		{"manifest", bytes(manifest.DefaultMaxSize), bytes(manifest.MaxSize), ""},
	}
}

// eventLimits are those of events, and of what is kept of them.
func eventLimits() []limit {
	bytes := size
	return []limit{
		{"subscriptions of one connection", count(hub.DefaultMaxSubscriptions), "", "`maxSubscribers` in the manifest, of one channel"},
		{"events waiting for the plain subscriptions of a connection, and for each separate one", count(hub.DefaultQueueMessages) + " and " + bytes(hub.DefaultQueueBytes), "", ""},
		{"events waiting for the clients of one user", bytes(ipc.DefaultMaxHeldPerUser), "", "`ServiceOptions.MaxHeldPerUser`"},
		{"events waiting for all clients", bytes(ipc.DefaultMaxHeld), "", "`ServiceOptions.MaxHeld`"},
		{"events waiting for a reader in the client", count(ipc.DefaultQueue) + " and " + bytes(ipc.DefaultQueueBytes), "", "`SubscribeOptions`"},
		{"events sent to a separate subscription, and not read", "half of what may wait in the client, and one event", bytes(ipc.MaxWindow), "`SubscribeOptions.Queue`, `QueueBytes`"},
		{"events that no channel carries, whose counting is remembered", count(hub.DefaultMaxChannels), "", ""},
		{"data of an event", "a frame less " + bytes(hub.EnvelopeRoom), "", "`ServiceOptions.MaxFrame`"},
		{"filter", bytes(filter.MaxText), "", ""},
		{"what a channel keeps in memory", bytes(ipc.DefaultChannelBytes), "", "`retention` in the manifest"},
		{"what a channel keeps on disk", bytes(store.DefaultBytes), "", "`retention` in the manifest"},
		{"waiting to be written to one log on disk, each event with 256 bytes besides", bytes(disk.DefaultMaxWaiting), "", "`disk.Options.MaxWaiting`"},
		{"events of one connection waiting to be kept on disk, or for room", count(session.DefaultMaxInFlight / 2), "", "half of `ServiceOptions.MaxInFlight`"},
		{"file of a log on disk", bytes(disk.DefaultSegmentBytes), "an eighth of what is kept", "`disk.Options.SegmentBytes`"},
		{"ids of kept events that are known again", count(store.MaxIDs) + ", for " + span(store.DefaultDedupe), "", ""},
		{"id of an event", bytes(store.MaxIDSize), "", ""},
		{"groups of one channel", count(hub.MaxGroups), "", ""},
		{"members of one group", count(hub.MaxMembers), "", ""},
		{"messages that a member holds", count(group.DefaultCredit) + " and " + bytes(group.DefaultCreditBytes), count(ipc.MaxCredit), "`SubscribeOptions.Credit`"},
		{"messages that the members of a group hold together", count(group.DefaultMaxPending), "", ""},
		{"time to acknowledge a message", span(group.DefaultAckWait), span(ipc.MaxAckWait), "`SubscribeOptions.AckWait`"},
		{"delay of a message that is given back", "none", span(group.MaxDelay), "`Event.Nak`"},
		{"deliveries of a message before it is a dead letter", count(group.DefaultMaxDeliver), "", ""},
		{"dead letters of one channel", count(ipc.MaxDeadLetters) + ", in memory also " + bytes(ipc.MaxDeadLetterBytes), "", ""},
	}
}

func table(rows []limit) string {
	var b strings.Builder
	b.WriteString("| limit | default | at most | set by |\n|---|---|---|---|\n")
	for _, r := range rows {
		for i, cell := range r {
			if cell == "" {
				r[i] = "–"
			}
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", r[0], r[1], r[2], r[3])
	}
	return b.String()
}

// count writes a number with commas.
func count(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span writes a duration.
func span(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	if d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// size writes a number of bytes.
func size(n int) string {
	switch {
	case n%(1<<20) == 0:
		return count(n>>20) + " MiB"
	case (n+1)%(1<<20) == 0:
		return count((n+1)>>20) + " MiB − 1"
	case n%(1<<10) == 0:
		return count(n>>10) + " KiB"
	}
	return count(n) + " bytes"
}
