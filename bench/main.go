package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
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
	quick, smoke, markdown  bool
	peers, modes, out, from string
	binary                  string
	rounds                  int
	each                    time.Duration
	idle                    int
}

func parse(args []string) (*settings, error) {
	s, fs := new(settings), flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.BoolVar(&s.quick, "quick", false, "short rounds: under a minute in all")
	fs.BoolVar(&s.smoke, "smoke", false, "only show that everything runs: a few seconds, the figures mean nothing")
	fs.BoolVar(&s.markdown, "markdown", false, "print the README's table instead of the long one")
	fs.StringVar(&s.peers, "peers", "", "comma-separated names of the peers (default all)")
	fs.StringVar(&s.modes, "modes", "1,16,256", "comma-separated numbers of callers on the one connection")
	fs.StringVar(&s.out, "out", "", "also write the results to this file as JSON")
	fs.StringVar(&s.from, "from", "", "print the results in this file instead of measuring")
	fs.StringVar(&programs, "programs", "", "folder of the programs that have one peer each, as make bench builds them")
	fs.StringVar(&s.binary, "binary", "", "also time starts of this ekko-ipc binary")
	fs.IntVar(&s.rounds, "rounds", 0, "rounds (default 12, quick 6)")
	fs.DurationVar(&s.each, "each", 0, "time of one run in a round (default 1s, quick 150ms)")
	fs.IntVar(&s.idle, "idle", -1, "connections of the idle measurement, 0 for none (default 2000, quick 500)")
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
	pl := &plan{peers: peers, rounds: 12, each: time.Second, idle: 2000, starts: 40, binary: s.binary}
	switch {
	case s.smoke:
		pl.rounds, pl.each, pl.idle, pl.starts = 1, 20*time.Millisecond, 10, 1
	case s.quick:
		pl.rounds, pl.each, pl.idle, pl.starts = 6, 150*time.Millisecond, 500, 10
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
	if s.peers != "" {
		pl.peers = nil
		for name := range strings.SplitSeq(s.peers, ",") {
			p := peerNamed(name)
			if p == nil {
				return nil, fmt.Errorf("no peer is called %q; there are %s", name, peerNames())
			}
			pl.peers = append(pl.peers, p)
		}
	}
	for text := range strings.SplitSeq(s.modes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 4096 {
			return nil, fmt.Errorf("-modes: %q is no number of callers between 1 and 4096", text)
		}
		pl.modes = append(pl.modes, n)
	}
	return pl, nil
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
