package disk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ekkojs/ipc/store"
)

var (
	cuts    = flag.Int("cuts", 6, "how often TestPowerCutsOfARealFileSystem cuts the power")
	cutSeed = flag.Uint64("cutseed", uint64(time.Now().UnixNano()), "where everything random of it begins")
)

// cutWriterEnv makes this program, started again, the one whose power is cut.
const cutWriterEnv = "EKKO_IPC_CUT_WRITER"

// cutWriter says what that program writes.
type cutWriter struct {
	Dir    string // of the store, on the file system that is cut
	Acks   string // a file of what was acknowledged, on one that is not
	Unsafe bool
}

func init() {
	text := os.Getenv(cutWriterEnv)
	if text == "" {
		return
	}
	var w cutWriter
	err := json.Unmarshal([]byte(text), &w)
	if err == nil {
		err = w.run()
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// The log that is written: its limits and its segments are small, so that
// much is begun, removed and renamed.
var mountLimits = store.Limits{Messages: 5000}

const (
	cutSegment = 256 << 10
	cutCursor  = "reader"
	cutFlight  = 64
)

// cutData is the payload of the message n, which nobody has to remember.
func cutData(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 9))
	return fmt.Appendf(nil, `{"n":%d,"pad":%q}`, n, strings.Repeat(fmt.Sprint(n%10), r.IntN(3000)))
}

// run appends until it is killed, and writes down what it was told to be safe:
// "a N SEQ" of a message, "c N" of a cursor.
func (w cutWriter) run() error {
	acks, err := os.OpenFile(w.Acks, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	s, err := Open(w.Dir, &Options{unsafe: w.Unsafe, segment: cutSegment})
	if err != nil {
		return err
	}
	log, err := s.Log("orders", mountLimits)
	if err != nil {
		return err
	}
	room := make(chan struct{}, cutFlight)
	for n := 1; ; n++ {
		room <- struct{}{}
		log.Append(store.Record{Name: "orders.made", ID: fmt.Sprint("order-", n), Data: cutData(n)}, func(r store.Receipt) {
			<-room
			if r.Err != nil {
				fmt.Fprintln(os.Stderr, "append:", r.Err)
				os.Exit(1)
			}
			fmt.Fprintf(acks, "a %d %d\n", n, r.Seq)
		})
		if n%200 != 0 {
			continue
		}
		err := log.SetCursor(cutCursor, fmt.Append(nil, n))
		if err == nil {
			err = log.Sync()
		}
		if err != nil {
			return err
		}
		fmt.Fprintf(acks, "c %d\n", n)
	}
}

// safe is what a writer was told to be safe.
type safe struct {
	seqs   map[int]uint64 // of the messages
	last   uint64         // the highest of them
	cursor int
}

func readSafe(path string) (safe, error) {
	out := safe{seqs: map[int]uint64{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return out, nil
	}
	for line := range bytes.Lines(text) {
		var n int
		var seq uint64
		if _, err := fmt.Sscanf(string(line), "a %d %d\n", &n, &seq); err == nil {
			out.seqs[n], out.last = seq, max(out.last, seq)
		} else if _, err := fmt.Sscanf(string(line), "c %d\n", &n); err == nil {
			out.cursor = n
		} else if bytes.HasSuffix(line, []byte("\n")) {
			return out, fmt.Errorf("the writer said %q", line)
		}
	}
	return out, err
}

// lost says what of it a log does not have any more.
func (s safe) lost(l *Log) (lost []string) {
	first, next := l.Bounds()
	if next <= s.last {
		lost = append(lost, fmt.Sprintf("the log ends before %d, and %d was acknowledged", next, s.last))
	}
	if kept := next - first; kept < min(next-1, uint64(mountLimits.Messages)) {
		lost = append(lost, fmt.Sprintf("%d to %d are kept, fewer than the limit says", first, next-1))
	}
	if len(l.Losses()) > 0 {
		lost = append(lost, fmt.Sprintf("it says itself that it has lost %v", l.Losses()))
	}
	byID := map[string]uint64{}
	for from, recs := first, []store.Record(nil); ; from = recs[len(recs)-1].Seq + 1 {
		var err error
		if recs, err = l.Read(recs[:0], from, 500, 1<<20); err != nil {
			return append(lost, err.Error())
		}
		if len(recs) == 0 {
			break
		}
		for _, r := range recs {
			var n int
			if _, err := fmt.Sscanf(r.ID, "order-%d", &n); err != nil || !bytes.Equal(r.Data, cutData(n)) {
				lost = append(lost, fmt.Sprintf("record %d, of the ID %q, is not as anybody wrote it", r.Seq, r.ID))
			}
			if byID[r.ID] != 0 {
				lost = append(lost, fmt.Sprintf("%s is there twice", r.ID))
			}
			byID[r.ID] = r.Seq
		}
	}
	for n, seq := range s.seqs {
		if got := byID[fmt.Sprint("order-", n)]; seq >= first && got != seq {
			lost = append(lost, fmt.Sprintf("order-%d was acknowledged as %d, and is %d (0: nowhere)", n, seq, got))
		}
	}
	var cursor int
	fmt.Sscan(string(l.Cursor(cutCursor)), &cursor)
	if cursor < s.cursor {
		lost = append(lost, fmt.Sprintf("the cursor is %d, and %d was made safe", cursor, s.cursor))
	}
	return lost
}

// medium is a file system in a file. What a power cut leaves of it is what has
// been written to the file, for what the kernel still keeps of it in memory
// is not there. It writes its journal when it is told to only.
type medium struct {
	t     *testing.T
	image string
	dir   string
}

func newMedium(t *testing.T, dir string) *medium {
	m := &medium{t, filepath.Join(dir, "image"), filepath.Join(dir, "mnt")}
	f, err := os.Create(m.image)
	if err == nil {
		err = errors.Join(f.Truncate(96<<20), f.Close(), os.Mkdir(m.dir, 0o700))
	}
	if err != nil {
		t.Fatal(err)
	}
	m.command("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", m.image)
	m.mount()
	return m
}

func (m *medium) command(name string, args ...string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(m.t.Context()), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		m.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

func (m *medium) mount()   { m.command("mount", "-o", "loop,commit=600,noatime", m.image, m.dir) }
func (m *medium) unmount() { m.command("umount", m.dir) }

// copy is the medium as it is now, to be looked at by somebody else.
func (m *medium) copy(dir string) *medium {
	c := &medium{m.t, filepath.Join(dir, "image"), filepath.Join(dir, "mnt")}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		m.t.Fatal(err)
	}
	c.command("cp", "--sparse=always", m.image, c.image)
	return c
}

// mayMount skips the test where file systems cannot be mounted.
func mayMount(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("to mount a file system takes root")
	}
	for _, tool := range []string{"mkfs.ext4", "mount", "umount", "cp"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("there is no " + tool)
		}
	}
	dir := t.TempDir()
	image, mnt := filepath.Join(dir, "image"), filepath.Join(dir, "mnt")
	f, err := os.Create(image)
	if err == nil {
		err = errors.Join(f.Truncate(8<<20), f.Close(), os.Mkdir(mnt, 0o700))
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mkfs.ext4", "-q", "-F", image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("mount", "-o", "loop", image, mnt).CombinedOutput(); err != nil {
		t.Skipf("root may not mount here (a container?): %s", out)
	}
	if out, err := exec.Command("umount", mnt).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// startCutWriter starts this program again to write, and waits until something
// is safe.
func startCutWriter(t *testing.T, w cutWriter) *exec.Cmd {
	text, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), cutWriterEnv+"="+string(text), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	poll(ctx, func() bool {
		s, err := readSafe(w.Acks)
		return err != nil || s.last > 0
	})
	return cmd
}

// poll waits until f says so, or ctx ends.
func poll(ctx context.Context, f func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil && !f() {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// freeze stops a process, and returns when none of its threads is within a
// call of the kernel.
func freeze(t *testing.T, cmd *exec.Cmd) {
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stopped := false
	poll(ctx, func() bool {
		stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", cmd.Process.Pid))
		stopped = len(stats) > 0
		for _, path := range stats {
			text, _ := os.ReadFile(path)
			if i := bytes.LastIndexByte(text, ')'); i < 0 || i+2 >= len(text) || text[i+2] != 'T' {
				stopped = false
			}
		}
		return stopped
	})
	if !stopped {
		t.Fatal("the writer does not stop; it has ended, perhaps")
	}
}

// cutPower has a writer write, and looks at what some moments leave of it. It
// returns in how many of them something was lost, and how many messages had
// been acknowledged in all.
func cutPower(t *testing.T, r *rand.Rand, moments int, unsafe bool) (lossy, acked int, first string) {
	dir := t.TempDir()
	m := newMedium(t, dir)
	w := cutWriter{Dir: filepath.Join(m.dir, "store"), Acks: filepath.Join(dir, "acks"), Unsafe: unsafe}
	cmd := startCutWriter(t, w)
	defer func() {
		cmd.Process.Kill()
		cmd.Wait()
		m.unmount()
	}()
	for n := range moments {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(250))*time.Millisecond)
		<-ctx.Done()
		cancel()
		freeze(t, cmd)
		known, err := readSafe(w.Acks)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(dir, fmt.Sprint("cut", n))
		if err := os.Mkdir(at, 0o700); err != nil {
			t.Fatal(err)
		}
		c := m.copy(at)
		cmd.Process.Signal(syscall.SIGCONT)
		acked = len(known.seqs)
		if lost := c.inspect(known); len(lost) > 0 {
			lossy++
			if first == "" {
				first = strings.Join(lost[:min(len(lost), 5)], "\n")
			}
		}
		os.RemoveAll(at)
	}
	return lossy, acked, first
}

// inspect mounts what is left, and says what is lost. The log goes on there.
func (m *medium) inspect(known safe) (lost []string) {
	m.mount()
	defer m.unmount()
	for round := range 2 {
		s, err := Open(filepath.Join(m.dir, "store"), &Options{segment: cutSegment})
		if err != nil {
			return append(lost, err.Error())
		}
		log, err := s.Log("orders", mountLimits)
		if err != nil {
			s.Close()
			return append(lost, err.Error())
		}
		l := log.(*Log)
		lost = append(lost, known.lost(l)...)
		_, next := l.Bounds()
		for i := range 30 {
			n := 1<<30 + round*100 + i
			got := add(l, store.Record{Name: "orders.made", ID: fmt.Sprint("order-", n), Data: cutData(n)})
			if got.Err != nil || got.Seq != next+uint64(i) {
				lost = append(lost, fmt.Sprintf("afterwards: %+v, not %d", got, next+uint64(i)))
				break
			}
			known.seqs[n], known.last = got.Seq, got.Seq
		}
		if err := s.Close(); err != nil {
			lost = append(lost, err.Error())
		}
	}
	return lost
}

// TestPowerCutsOfARealFileSystem is D1 and K3: what was acknowledged is there
// after a power cut, and what a cursor was made to be. Without fsync the same
// cuts lose something, or else they would prove nothing.
func TestPowerCutsOfARealFileSystem(t *testing.T) {
	mayMount(t)
	r := rand.New(rand.NewPCG(*cutSeed, 4))
	const moments = 5 // of one medium, of which the first are of a young store
	began, total := time.Now(), 0
	for done := 0; done < *cuts; {
		n := min(moments, *cuts-done)
		lossy, acked, what := cutPower(t, r, n, false)
		if lossy > 0 {
			t.Errorf("seed %d: %d of the power cuts %d to %d have lost something:\n%s", *cutSeed, lossy, done+1, done+n, what)
		}
		done, total = done+n, total+acked
	}
	control := max(3, min(*cuts/5, moments))
	lossy, _, what := cutPower(t, r, control, true)
	t.Logf("seed=%d cuts=%d acknowledged=%d seconds=%.0f; without fsync %d of %d lost something: %s",
		*cutSeed, *cuts, total, time.Since(began).Seconds(), lossy, control, firstLine(what))
	if lossy < (control+1)/2 {
		t.Errorf("seed %d: without fsync only %d of %d power cuts lost something: they are no evidence", *cutSeed, lossy, control)
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
