package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
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
	out, plot, readme, from  string
	binary, profile          string
	rounds                   int
	each                     time.Duration
	idle                     int
}

func parse(args []string) (*settings, error) {
	s, fs := new(settings), flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.BoolVar(&s.quick, "quick", false, "short rounds of the small payload only: under a minute in all")
	fs.BoolVar(&s.smoke, "smoke", false, "only show that everything runs: a few seconds, the figures mean nothing")
	fs.BoolVar(&s.markdown, "markdown", false, "print the README's table instead of the long ones")
	fs.StringVar(&s.peers, "peers", "", "comma-separated names of the peers (default all)")
	fs.StringVar(&s.callers, "callers", "", "comma-separated numbers of callers on the one connection (default 1,16,256)")
	fs.StringVar(&s.payloads, "payloads", "", "comma-separated sizes of the payload in bytes, at least 100 (default 100,10240,1048576; quick 100)")
	fs.StringVar(&s.out, "out", "", "also write the results to this file as JSON")
	fs.StringVar(&s.plot, "plot", "", "also draw the results into this file as SVG")
	fs.StringVar(&s.readme, "readme", "", "also write the README's table into this file, between its marks")
	fs.StringVar(&s.from, "from", "", "print the results in this file instead of measuring")
	fs.StringVar(&programs, "programs", "", "folder of the programs that have one peer each, as make bench builds them")
	fs.StringVar(&s.binary, "binary", "", "also time starts of this ekko-ipc binary")
	fs.StringVar(&s.profile, "profile", "", "write CPU profiles of our own peers' processes into this folder, one for each mode")
	fs.IntVar(&s.rounds, "rounds", 0, "rounds (default 10, quick 3)")
	fs.DurationVar(&s.each, "each", 0, "time of one run in a round (default 500ms, quick 100ms)")
	fs.IntVar(&s.idle, "idle", -1, "connections of the idle measurement, 0 for none (default 10000, quick 200)")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return s, nil
}

// plan turns the flags into what to do.
func (s *settings) plan() (*plan, error) {
	pl := &plan{peers: peers, warmUps: 1, rounds: 10, each: 500 * time.Millisecond, idle: 10_000, rest: time.Second, starts: 40, binary: s.binary, profiles: s.profile}
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
		if pl.peers, err = peersNamed(s.peers); err != nil {
			return nil, err
		}
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

func peersNamed(list string) (out []*peer, err error) {
	for name := range strings.SplitSeq(list, ",") {
		p := peerNamed(name)
		if p == nil {
			return nil, fmt.Errorf("no peer is called %q; there are %s", name, peerNames())
		}
		out = append(out, p)
	}
	return out, nil
}

func peerNames() string {
	var names []string
	for _, p := range peers {
		names = append(names, p.name)
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
	if s.out != "" {
		if err := r.write(s.out); err != nil {
			return err
		}
	}
	if s.plot != "" {
		if err := os.WriteFile(s.plot, r.draw(), 0o644); err != nil {
			return err
		}
	}
	if s.readme != "" {
		if err := r.writeInto(s.readme); err != nil {
			return err
		}
	}
	if s.markdown {
		r.printMarkdown(stdout)
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
	all, err := pl.measure()
	if err != nil {
		return nil, err
	}
	r.Rows = rows(all)
	if r.Idle, err = pl.measureIdle(); err != nil {
		return nil, err
	}
	r.Start, err = pl.measureStart()
	return r, err
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
