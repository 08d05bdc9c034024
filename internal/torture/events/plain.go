//go:build linux

package events

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ekkojs/ipc"
	"github.com/ekkojs/ipc/internal/torture/stage"
)

// PlainConfig says how to torture events that nobody keeps.
type PlainConfig struct {
	Events int // how many are published
	Seed   uint64
	Limit  time.Duration // after which no more is begun. Default 5 minutes
	Pause  time.Duration // as in Config
	Calm   bool          // likewise
	Plant  Plant
	Log    func(format string, args ...any)
}

// PlainReport is what came of that.
type PlainReport struct {
	Seed           uint64
	Sent           int
	Tallies        []Tally
	Kills          int // of readers
	Stops, Cuts    int
	Took           time.Duration
	Contradictions []Contradiction
}

// String is the figures in one line.
func (r *PlainReport) String() string {
	var delivered, counted, exact uint64
	for _, t := range r.Tallies {
		delivered, counted, exact = delivered+t.Delivered, counted+t.Counted, exact+t.Skipped
	}
	return fmt.Sprintf("plain: seed=%d sent=%d delivered=%d counted-as-lost=%d readers-to-the-end=%d reader-kills=%d stops=%d cuts=%d seconds=%.0f contradictions=%d",
		r.Seed, r.Sent, delivered, counted, len(r.Tallies), r.Kills, r.Stops, r.Cuts, r.Took.Seconds(), len(r.Contradictions))
}

// Table is what each reader had that came to the end.
func (r *PlainReport) Table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s %-12s %-7s %10s %7s %10s %10s %10s\n", "process", "reads", "stream", "delivered", "gaps", "counted", "by-counter", "unmeasured")
	for _, t := range r.Tallies {
		fmt.Fprintf(&b, "%-10s %-12s %-7s %10d %7d %10d %10d %10d\n", t.Process, t.Read, t.Stream, t.Delivered, t.Gaps, t.Counted, t.Skipped, t.Unmeasured)
	}
	return b.String()
}

// Explain returns up to max contradictions of each rule.
func (r *PlainReport) Explain(max int) string {
	var b strings.Builder
	shown := map[Rule]int{}
	for _, c := range r.Contradictions {
		if shown[c.Rule]++; shown[c.Rule] <= max {
			fmt.Fprintln(&b, c)
		}
	}
	return b.String()
}

// Plain publishes events that nobody keeps, and holds what readers get against
// what was sent. Its error means that a process complained.
func Plain(ctx context.Context, cfg PlainConfig) (*PlainReport, error) {
	if !called {
		return nil, errMain
	}
	if cfg.Limit == 0 {
		cfg.Limit = 5 * time.Minute
	}
	if cfg.Pause == 0 {
		cfg.Pause = 150 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = func(string, ...any) {}
	}
	dir, err := os.MkdirTemp("", tempName)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	r := &plainRun{PlainConfig: cfg, dir: dir, random: rand.New(rand.NewPCG(cfg.Seed, 1<<62)), report: &PlainReport{Seed: cfg.Seed}}
	began := time.Now()
	err = errors.Join(r.run(ctx), r.collect())
	r.report.Took = time.Since(began)
	return r.report, err
}

// plainRun is such a run under way.
type plainRun struct {
	PlainConfig
	dir     string
	random  *rand.Rand
	report  *PlainReport
	service *stage.Process
	spouts  []*stage.Process
	readers []*slot
}

// spoutCount is how many processes publish, with a publisher for each stream.
const spoutCount = 2

// The streams of the part that is plain, and how much of the events each has.
var plainStreams = []struct {
	name  string
	share int // of ten
}{{"tick", 8}, {"feed", 2}}

// plainPublisher is the number of a spout's publisher on a stream.
func plainPublisher(spout, stream int) uint32 { return uint32(spout*len(plainStreams) + stream + 1) }

// quota is how many events one publisher sends on a stream before the last
// ones.
func (r *plainRun) quota(stream int) uint32 {
	return uint32(r.Events * plainStreams[stream].share / 10 / spoutCount)
}

func (r *plainRun) path(name string) string { return filepath.Join(r.dir, name) }

func (r *plainRun) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, r.Limit)
	defer cancel()
	defer r.end()
	address := "unix:" + r.path("service.sock")
	if r.service, err = stage.Start("service", roleEnv, program{Service: &serviceConfig{Address: address}}, true); err != nil {
		return err
	}
	for i, reads := range [][]string{{"tick", "feed"}, {"tick", "feed", "feed.even"}, {"**"}, {"feed even"}} {
		s := &slot{name: fmt.Sprintf("reader%d", i), number: uint32(i)}
		s.program = func(s *slot, name string) program {
			c := &plainConfig{Name: name, Dir: r.dir, Address: "unix:" + s.relay.outer, Seed: r.Seed*100 + uint64(10*s.number) + uint64(s.count), Reads: reads, Slow: i == 1, Plant: r.Plant}
			for stream := range plainStreams {
				c.Quotas = append(c.Quotas, r.quota(stream))
			}
			return program{PlainReader: c}
		}
		if s.relay, err = newRelay(r.path(s.name+".sock"), r.path("service.sock"), r.Plant); err != nil {
			return err
		}
		r.readers = append(r.readers, s)
		if err := r.startReader(s); err != nil {
			return err
		}
	}
	for i := range spoutCount {
		c := &spoutConfig{Name: fmt.Sprintf("spout%d", i), Dir: r.dir, Address: address, Number: i}
		for stream := range plainStreams {
			c.Quotas = append(c.Quotas, r.quota(stream))
		}
		p, err := stage.Start(c.Name, roleEnv, program{Spout: c}, false)
		if err != nil {
			return err
		}
		r.spouts = append(r.spouts, p)
	}
	if err := r.torment(ctx); err != nil {
		return err
	}
	return r.finish(ctx, address)
}

func (r *plainRun) startReader(s *slot) (err error) {
	s.count++
	name := fmt.Sprintf("%s.%d", s.name, s.count)
	s.process, err = stage.Start(name, roleEnv, s.program(s, name), true)
	return err
}

// torment injects one fault after another until the publishers are through.
func (r *plainRun) torment(ctx context.Context) error {
	for {
		if stage.Pause(ctx, r.Pause.Seconds()*1000*(0.3+1.4*r.random.Float64())) != nil {
			return fmt.Errorf("the events were not published within %s", r.Limit)
		}
		if done, _ := filepath.Glob(r.path("*.done")); len(done) == spoutCount {
			return nil
		}
		if r.Calm {
			continue
		}
		s := r.readers[r.random.IntN(len(r.readers))]
		switch n := r.random.IntN(10); {
		case n < 4:
			r.Log("%s stands still", s.process.Name)
			r.report.Stops++
			s.process.Signal(syscall.SIGSTOP)
			stage.Pause(ctx, 400*r.random.Float64())
			s.process.Signal(syscall.SIGCONT)
		case n < 8:
			r.Log("%s is cut off", s.process.Name)
			r.report.Cuts++
			s.relay.cut()
		default:
			r.Log("%s is killed", s.process.Name)
			r.report.Kills++
			s.process.Kill()
			<-s.process.Ended
			if err := errors.Join(s.process.Complaint(), r.startReader(s)); err != nil {
				return err
			}
		}
	}
}

// finish waits for the readers to have all they need, and counts what was
// sent.
func (r *plainRun) finish(ctx context.Context, address string) error {
	var errs []error
	for _, s := range r.readers {
		select {
		case <-s.process.Ended:
			errs = append(errs, s.process.Complaint())
		case <-time.After(30 * time.Second):
			errs = append(errs, fmt.Errorf("%s has not seen the end of all publishers", s.process.Name))
			s.process.Kill()
			<-s.process.Ended
		}
		s.process = nil
	}
	for _, p := range r.spouts {
		p.Close()
		errs = append(errs, p.Wait())
	}
	r.spouts = nil
	client := connect(ctx, address)
	if client == nil {
		return errors.Join(append(errs, ctx.Err())...)
	}
	defer client.Close()
	for stream, s := range plainStreams {
		sent := 0
		for i := range spoutCount {
			var n [4]int
			if err := readJSON(r.path(fmt.Sprintf("spout%d.sent", i)), &n); err != nil {
				errs = append(errs, err)
			}
			sent += n[stream]
		}
		r.report.Sent += sent
		event := s.name
		if event == "feed" {
			event = "feed.even"
		}
		receipt, err := client.PublishWith(ctx, event, ipc.Raw(payload(0, 1, 1)), nil)
		if err != nil {
			errs = append(errs, err)
		} else if receipt.Seq != uint64(sent)+1 {
			r.report.Contradictions = append(r.report.Contradictions, Contradiction{Rule: Accounted, Place: s.name,
				Text: fmt.Sprintf("%d events were sent, and the next number is %d", sent, receipt.Seq)})
		}
	}
	return errors.Join(errs...)
}

// collect reads what the readers have written.
func (r *plainRun) collect() error {
	var errs []error
	bad, _ := filepath.Glob(r.path("*.bad"))
	for _, f := range bad {
		text, err := os.ReadFile(f)
		errs = append(errs, err)
		for line := range strings.Lines(string(text)) {
			var c Contradiction
			if json.Unmarshal([]byte(line), &c) == nil { // but for one that a kill has torn
				r.report.Contradictions = append(r.report.Contradictions, c)
			}
		}
	}
	tallies, _ := filepath.Glob(r.path("*.tally"))
	for _, f := range tallies {
		var list []Tally
		errs = append(errs, readJSON(f, &list))
		r.report.Tallies = append(r.report.Tallies, list...)
	}
	return errors.Join(errs...)
}

func (r *plainRun) end() {
	for _, s := range r.readers {
		if s.process != nil {
			s.process.Kill()
			<-s.process.Ended
		}
		s.relay.close()
	}
	for _, p := range r.spouts {
		p.Kill()
		<-p.Ended
	}
	if r.service != nil {
		r.service.Signal(syscall.SIGTERM)
		if err := r.service.Wait(); err != nil {
			r.report.Contradictions = append(r.report.Contradictions, Contradiction{Rule: Accounted, Place: "service", Text: err.Error()})
		}
	}
}

func readJSON(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// spoutConfig is what a process is told that publishes plain events.
type spoutConfig struct {
	Name    string
	Dir     string
	Address string
	Number  int
	Quotas  []uint32 // of each stream
}

// runSpout publishes what it is told to, and then a few more now and then, for
// those to see who still read, until stdin ends.
func runSpout(cfg spoutConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	client := connect(ctx, cfg.Address)
	if client == nil {
		return nil
	}
	defer client.Close()
	sent := make([]uint32, len(plainStreams))
	var wrong error
	publish := func(stream int) {
		sent[stream]++
		n := sent[stream]
		event := plainStreams[stream].name
		if event == "feed" {
			event = []string{"feed.even", "feed.odd"}[n%2]
		}
		// It is sent even when stdin has ended: what is counted was sent.
		if err := client.Publish(context.Background(), event, ipc.Raw(payload(plainPublisher(cfg.Number, stream), n, int(n%40)))); err != nil {
			wrong = errors.Join(wrong, err)
		}
	}
	for turn := 0; wrong == nil && ctx.Err() == nil; turn++ {
		idle := true
		for stream, quota := range cfg.Quotas {
			for range plainStreams[stream].share {
				if sent[stream] < quota {
					idle = false
					publish(stream)
				}
			}
		}
		if idle {
			break
		}
	}
	wrong = errors.Join(wrong, client.Flush(context.Background()), os.WriteFile(filepath.Join(cfg.Dir, cfg.Name+".done"), nil, 0o600))
	for wrong == nil && stage.Pause(ctx, 40) == nil {
		for stream := range cfg.Quotas {
			publish(stream)
			publish(stream)
		}
	}
	return errors.Join(wrong, client.Flush(context.Background()), writeJSON(filepath.Join(cfg.Dir, cfg.Name+".sent"), sent))
}

// plainConfig is what a process is told that reads plain events.
type plainConfig struct {
	Name    string
	Dir     string
	Address string
	Seed    uint64
	Reads   []string // "feed even" is feed with a filter
	Quotas  []uint32
	Slow    bool
	Plant   Plant
}

// runPlainReader reads until it has seen the end of all publishers.
func runPlainReader(cfg plainConfig) error {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go stage.EndWithStdin(stop)
	bad, err := os.OpenFile(filepath.Join(cfg.Dir, cfg.Name+".bad"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	client := connect(ctx, cfg.Address)
	if client == nil {
		return nil
	}
	defer client.Close()
	accounts := make([]*accounts, len(cfg.Reads))
	errs := make([]error, len(cfg.Reads))
	var all sync.WaitGroup
	for i, read := range cfg.Reads {
		accounts[i] = newAccounts(cfg, read, bad)
		opts := &ipc.SubscribeOptions{}
		pattern, even := strings.CutSuffix(read, " even")
		if even && cfg.Plant != IgnoredFilter {
			opts.Filter = "k == 0"
		}
		sub, err := client.Subscribe(ctx, pattern, opts)
		if err != nil {
			return err
		}
		random := rand.New(rand.NewPCG(cfg.Seed, uint64(i)))
		all.Go(func() { errs[i] = accounts[i].read(ctx, sub, random) })
	}
	fmt.Println("ready")
	all.Wait()
	var tallies []Tally
	for _, a := range accounts {
		for _, one := range a.streams {
			tallies = append(tallies, one.Tally)
		}
	}
	return errors.Join(errors.Join(errs...), writeJSON(filepath.Join(cfg.Dir, cfg.Name+".tally"), tallies))
}
