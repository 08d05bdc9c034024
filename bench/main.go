package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		childMain(os.Args[2:])
		return
	}
	if err := run(os.Args[1:], os.Stdout, progress(os.Stderr)); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the flags.
type settings struct {
	quick, smoke, markdown   bool
	peers, callers, payloads string
	subscribers, publishers  string
	modes, disk              string
	out, plot, readme, from  string
	binary, profile          string
	rounds                   int
	each                     time.Duration
	idle                     int
}

func parse(args []string) (*settings, error) {
	s, flags := new(settings), flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&s.quick, "quick", false, "short rounds of the small payload only: under a minute in all")
	flags.BoolVar(&s.smoke, "smoke", false, "only show that everything runs: a few seconds, the figures mean nothing")
	flags.BoolVar(&s.markdown, "markdown", false, "print the README's table instead of the long ones")
	flags.StringVar(&s.peers, "peers", "", "comma-separated names of the peers (default all)")
	flags.StringVar(&s.modes, "mode", "calls,events,durable", "comma-separated: what to measure")
	flags.StringVar(&s.subscribers, "subscribers", "", "comma-separated numbers of subscribers to one publisher (default 1,10,100)")
	flags.StringVar(&s.publishers, "publishers", "", "comma-separated numbers of publishers whose events are kept (default 1,64)")
	flags.StringVar(&s.disk, "disk", "", "folder on the disk where events are kept (default that for temporary files)")
	flags.StringVar(&s.callers, "callers", "", "comma-separated numbers of callers on the one connection (default 1,16,256)")
	flags.StringVar(&s.payloads, "payloads", "", "comma-separated sizes of the payload in bytes, at least 100 (default 100,10240,1048576; quick 100)")
	flags.StringVar(&s.out, "out", "", "also write the results to this file as JSON, which keeps what is not measured now")
	flags.StringVar(&s.plot, "plot", "", "also draw the results into this file as SVG")
	flags.StringVar(&s.readme, "readme", "", "also write the tables into this file, the README or another, between their marks")
	flags.StringVar(&s.from, "from", "", "print the results in this file instead of measuring")
	flags.StringVar(&programs, "programs", "", "folder of the programs that have one peer each, as make bench builds them")
	flags.StringVar(&s.binary, "binary", "", "also time starts of this ekko-ipc binary")
	flags.StringVar(&s.profile, "profile", "", "write CPU profiles of our own peers' processes into this folder, one for each mode")
	flags.IntVar(&s.rounds, "rounds", 0, "rounds (default 10, quick 3)")
	flags.DurationVar(&s.each, "each", 0, "time of one run in a round (default 500ms, quick 100ms)")
	flags.IntVar(&s.idle, "idle", -1, "connections of the idle measurement, 0 for none (default 10000, quick 200)")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return s, nil
}

// plan turns the flags into what to do.
func (s *settings) plan() (*plan, error) {
	if s.disk != "" { // where services find each other has to be absolute
		disk, err := filepath.Abs(s.disk)
		if err != nil {
			return nil, err
		}
		s.disk = disk
	}
	pl := &plan{peers: peers, eventPeers: eventPeers, durablePeers: durablePeers, disk: s.disk, warmUps: 1, rounds: 10, each: 500 * time.Millisecond, idle: 10_000, rest: time.Second, starts: 40, binary: s.binary, profiles: s.profile}
	payloads := "100,10240,1048576"
	switch {
	case s.smoke:
		pl.warmUps, pl.rounds, pl.each, pl.idle, pl.rest, pl.starts = 0, 1, 10*time.Millisecond, 5, 0, 1
	case s.quick:
		pl.rounds, pl.each, pl.idle, pl.starts = 3, 100*time.Millisecond, 200, 10
		payloads = "100"
	}
	if s.rounds > 0 {
		pl.rounds = s.rounds
	}
	if s.each > 0 {
		pl.each = s.each
	}
	if s.idle >= 0 {
		pl.idle = s.idle
	}
	var err error
	if s.peers != "" {
		if err := pl.choose(s.peers); err != nil {
			return nil, err
		}
	}
	if err := pl.restrict(s.modes); err != nil {
		return nil, err
	}
	if pl.subscribers, err = numbers("-subscribers", cmp.Or(s.subscribers, "1,10,100"), 1, 4096); err != nil {
		return nil, err
	}
	if pl.publishers, err = numbers("-publishers", cmp.Or(s.publishers, "1,64"), 1, 4096); err != nil {
		return nil, err
	}
	callers, err := numbers("-callers", cmp.Or(s.callers, "1,16,256"), 1, 4096)
	if err != nil {
		return nil, err
	}
	sizes, err := numbers("-payloads", cmp.Or(s.payloads, payloads), smallSize, largest)
	if err != nil {
		return nil, err
	}
	for _, n := range sizes {
		pl.groups = append(pl.groups, modesOf(n, callers))
	}
	if s.smoke { // one set of processes for everything
		pl.groups = [][]mode{slices.Concat(pl.groups...)}
	}
	return pl, nil
}

// largest is the largest payload that all peers are set up for.
const largest = 2 << 20

// numbers reads a list of numbers between two bounds, smallest first.
func numbers(name, list string, low, high int) (out []int, err error) {
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < low || n > high {
			return nil, fmt.Errorf("%s: %q is no number between %d and %d", name, text, low, high)
		}
		out = append(out, n)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

// choose leaves the peers that are in the list: of calls, of events and of
// what is kept.
func (pl *plan) choose(list string) error {
	all := *pl
	pl.peers, pl.eventPeers, pl.durablePeers = nil, nil, nil
	for name := range strings.SplitSeq(list, ",") {
		p, e, d := peerNamed(name), eventPeerNamed(name), durablePeerNamed(name)
		if p == nil && e == nil && d == nil {
			return fmt.Errorf("no peer is called %q; there are %s", name, all.peerNames())
		}
		if p != nil {
			pl.peers = append(pl.peers, p)
		}
		if e != nil {
			pl.eventPeers = append(pl.eventPeers, e)
		}
		if d != nil {
			pl.durablePeers = append(pl.durablePeers, d)
		}
	}
	return nil
}

// restrict leaves out what is not in the list of modes.
func (pl *plan) restrict(list string) error {
	modes := strings.Split(list, ",")
	for _, name := range modes {
		if !slices.Contains([]string{"calls", "events", "durable"}, name) {
			return fmt.Errorf("-mode: %q is neither calls nor events nor durable", name)
		}
	}
	if !slices.Contains(modes, "calls") {
		pl.peers = nil
	}
	if !slices.Contains(modes, "events") {
		pl.eventPeers = nil
	}
	if !slices.Contains(modes, "durable") {
		pl.durablePeers = nil
	}
	return nil
}

func (pl *plan) peerNames() string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, p := range pl.peers {
		add(p.name)
	}
	for _, p := range pl.eventPeers {
		add(p.name)
	}
	for _, p := range pl.durablePeers {
		add(p.name)
	}
	return strings.Join(names, ", ")
}

func run(args []string, stdout, say io.Writer) error {
	s, err := parse(args)
	if err == flag.ErrHelp {
		return nil
	} else if err != nil {
		return err
	}
	r, err := s.report(say)
	if err != nil {
		return err
	}
	whole, err := s.withOthers(r)
	if err != nil {
		return err
	}
	if s.out != "" {
		if err := whole.write(s.out); err != nil {
			return err
		}
	}
	if s.plot != "" {
		if err := os.WriteFile(s.plot, whole.draw(), 0o644); err != nil {
			return err
		}
	}
	if s.readme != "" {
		if err := whole.writeInto(s.readme); err != nil {
			return err
		}
	}
	if s.markdown {
		for i, part := range r.sections() {
			if i > 0 {
				fmt.Fprintln(stdout)
			}
			part.print(stdout)
		}
	} else {
		r.print(stdout)
	}
	return nil
}

// report measures, or reads what was measured before.
func (s *settings) report(say io.Writer) (*report, error) {
	if s.from != "" {
		return readReport(s.from)
	}
	pl, err := s.plan()
	if err != nil {
		return nil, err
	}
	pl.say = say
	if pl.dir, err = os.MkdirTemp("", "ekko-ipc-bench-"); err != nil { // 0700
		return nil, err
	}
	defer os.RemoveAll(pl.dir)
	defer removeOnSignal(pl.dir)()
	r := &report{Machine: thisMachine(), Rounds: pl.rounds, EachMS: pl.each.Milliseconds(), Together: programs == ""}
	if len(pl.peers) > 0 {
		if err := pl.measureCalls(r); err != nil {
			return nil, err
		}
	}
	if len(pl.eventPeers) > 0 {
		rows, err := pl.measureEvents()
		if err != nil {
			return nil, err
		}
		r.Events = &eventReport{thisMachine(), pl.rounds, pl.each.Milliseconds(), rows}
	}
	if len(pl.durablePeers) > 0 {
		rows, err := pl.measureDurable()
		if err != nil {
			return nil, err
		}
		r.Durable = &durableReport{thisMachine(), pl.rounds, pl.each.Milliseconds(), rows}
	}
	return r, nil
}

func (pl *plan) measureCalls(r *report) error {
	all, err := pl.measure()
	if err != nil {
		return err
	}
	r.Rows = rows(all)
	if r.Idle, err = pl.measureIdle(); err != nil {
		return err
	}
	r.Start, err = pl.measureStart()
	return err
}

// withOthers is r with what the file that is to be written has, and was not
// measured now.
func (s *settings) withOthers(r *report) (*report, error) {
	if s.out == "" {
		return r, nil
	}
	old, err := readReport(s.out)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	} else if err != nil {
		return nil, err
	}
	whole := *r
	if len(r.Rows) == 0 {
		whole = *old
	}
	whole.Events, whole.Durable = cmp.Or(r.Events, old.Events), cmp.Or(r.Durable, old.Durable)
	return &whole, nil
}

// removeOnSignal lets Ctrl-C leave nothing behind: the children end with their
// input, and the folder of their sockets goes. The returned func ends this.
func removeOnSignal(dir string) func() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if _, ok := <-signals; ok {
			os.RemoveAll(dir)
			os.Exit(130)
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
	}
}

// progress is where a person sees how far it is; nobody reads it in a log.
func progress(f *os.File) io.Writer {
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return io.Discard
	}
	return f
}
