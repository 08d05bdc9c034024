package transport_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/ekkojs/ipc/transport"
	"github.com/ekkojs/ipc/transport/transporttest"
)

func ownBySID() transport.Peer {
	return transport.Peer{Known: true, UID: transport.NoUID, GID: transport.NoUID, PID: int32(os.Getpid()), SID: transport.OwnSID()}
}

var pipesMade atomic.Int32

// pipeAddress is a name that nobody else has.
func pipeAddress(testing.TB) string {
	return fmt.Sprintf("pipe:ekko-test-%d-%d", os.Getpid(), pipesMade.Add(1))
}

func pipePath(t testing.TB, address string) *uint16 {
	t.Helper()
	path, err := windows.UTF16PtrFromString(`\\.\pipe\` + strings.TrimPrefix(address, "pipe:"))
	must(t, err)
	return path
}

// openPipe is a client that knows nothing of us.
func openPipe(t testing.TB, address string) *os.File {
	t.Helper()
	h, err := windows.CreateFile(pipePath(t, address), windows.GENERIC_READ|windows.GENERIC_WRITE, 0, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OVERLAPPED, 0)
	must(t, err)
	return os.NewFile(uintptr(h), address)
}

// makePipe is a server that knows nothing of us, with one place for a client.
func makePipe(t testing.TB, address, sddl string) *os.File {
	t.Helper()
	d, err := windows.SecurityDescriptorFromString(sddl)
	must(t, err)
	a := &windows.SecurityAttributes{SecurityDescriptor: d}
	a.Length = uint32(unsafe.Sizeof(*a))
	h, err := windows.CreateNamedPipe(pipePath(t, address), windows.PIPE_ACCESS_DUPLEX|windows.FILE_FLAG_OVERLAPPED,
		windows.PIPE_TYPE_BYTE, windows.PIPE_UNLIMITED_INSTANCES, 4096, 4096, 0, a)
	must(t, err)
	f := os.NewFile(uintptr(h), address)
	t.Cleanup(func() { f.Close() })
	return f
}

// barePipe is one whose stream ends both ways at once.
type barePipe struct{ *os.File }

func (p barePipe) CloseWrite() error { return p.Close() }

func TestFactsWindowsPipe(t *testing.T) {
	transporttest.Run(t, transporttest.Transport{
		Pair: byAddress(pipeAddress),
		Raw: func(t testing.TB, o *transport.Options) (transport.Conn, transporttest.Bare) {
			l := listenFor(t, pipeAddress(t), o)
			c := openPipe(t, l.Addr())
			server := acceptFor(t, l)
			l.Close()
			return server, barePipe{c}
		},
		Peer:  own(),
		Waits: true,
		Whole: true,
	})
}

// TestF08_WhoMayOpenAPipe: the user and the system, and nobody from elsewhere;
// a lock nobody.
func TestF08_WhoMayOpenAPipe(t *testing.T) {
	sid := transport.OwnSID()
	for format, want := range map[string]string{
		transport.SDDLForTest:     "O:" + sid + "D:P(A;;FA;;;" + sid + ")(A;;FA;;;SY)",
		transport.LockSDDLForTest: "O:" + sid + "D:P",
	} {
		d, err := windows.SecurityDescriptorFromString(strings.ReplaceAll(format, "%[1]s", sid))
		must(t, err)
		if got := d.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	l := listenFor(t, pipeAddress(t), nil)
	c := openPipe(t, l.Addr())
	defer c.Close()
	raw, err := c.SyscallConn()
	must(t, err)
	raw.Control(func(h uintptr) {
		d, err := windows.GetSecurityInfo(windows.Handle(h), windows.SE_KERNEL_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
		must(t, err)
		if got, want := d.String(), strings.ReplaceAll(transport.SDDLForTest, "%[1]s", sid); got != want {
			t.Errorf("the pipe has %s, want %s", got, want)
		}
	})
}

// TestF08_NothingIsSaidToStrangers: whose pipe it is counts, not its name.
func TestF08_NothingIsSaidToStrangers(t *testing.T) {
	for _, owner := range []string{"WD", "BU", "S-1-5-21-1-2-3-1001"} {
		address := pipeAddress(t)
		f := makePipe(t, address, "O:"+owner+"D:P(A;;FA;;;WD)")
		if c, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, transport.ErrUntrustedPeer) {
			t.Errorf("a pipe of %s: got %v, %v, want ErrUntrustedPeer", owner, c, err)
		}
		if n, err := f.Read(make([]byte, 1)); n > 0 || err == nil {
			t.Errorf("a pipe of %s got %d bytes, %v", owner, n, err)
		}
	}
	for _, owner := range []string{"SY", "BA", transport.OwnSID()} {
		address := pipeAddress(t)
		makePipe(t, address, "O:"+owner+"D:P(A;;FA;;;WD)")
		c := dialFor(t, address, nil)
		defer c.Close()
		if p := c.Peer(); p.SID == "" || !p.Known || p.PID != int32(os.Getpid()) || p.UID != transport.NoUID {
			t.Errorf("a pipe of %s: the peer is %+v", owner, p)
		}
	}
}

// TestF08_SquattedPipes: whoever was there before is not joined.
func TestF08_SquattedPipes(t *testing.T) {
	sid := transport.OwnSID()
	for _, sddl := range []string{
		"O:WDD:P(A;;FA;;;WD)",                         // another's
		"O:" + sid + "D:P(A;;FA;;;WD)",                // ours, and open to all
		"O:" + sid + "D:P(A;;FR;;;BU)(A;;FA;;;" + sid, // ours, and readable
	} {
		if strings.HasSuffix(sddl, sid) {
			sddl += ")"
		}
		address := pipeAddress(t)
		makePipe(t, address, sddl)
		l, err := transport.Listen(t.Context(), address, nil)
		if !errors.Is(err, transport.ErrAddressInUse) {
			t.Errorf("%s: got %v, want ErrAddressInUse", sddl, err)
		}
		if err == nil {
			l.Close()
		}
	}
}

// TestF08_NeverImpersonable: a server may learn who we are, and not be us.
func TestF08_NeverImpersonable(t *testing.T) {
	address := pipeAddress(t)
	f := makePipe(t, address, "O:"+transport.OwnSID()+"D:P(A;;FA;;;WD)")
	defer dialFor(t, address, nil).Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if r, _, err := windows.NewLazySystemDLL("advapi32.dll").NewProc("ImpersonateNamedPipeClient").Call(f.Fd()); r == 0 {
		t.Fatal(err)
	}
	defer windows.RevertToSelf()
	var token windows.Token
	must(t, windows.OpenThreadToken(windows.CurrentThread(), windows.TOKEN_QUERY, true, &token))
	defer token.Close()
	var level, n uint32
	must(t, windows.GetTokenInformation(token, windows.TokenImpersonationLevel, (*byte)(unsafe.Pointer(&level)), 4, &n))
	if level > windows.SecurityIdentification {
		if wine() {
			t.Skip("Wine lets every server be its client")
		}
		t.Errorf("the server has level %d of us, want %d", level, windows.SecurityIdentification)
	}
}

// wine reports whether this is not Windows, but Wine.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

// TestF08_OneOfManyStartsWins holds for threads and for processes, whichever
// way the one before has ended.
func TestF08_OneOfManyStartsWins(t *testing.T) {
	address := pipeAddress(t)
	dead := startHolder(t, address)
	if dead.said != "listening" {
		t.Fatal(dead.said)
	}
	held := dialFor(t, address, nil) // outlives the service
	defer held.Close()
	if pid := held.Peer().PID; pid != int32(dead.cmd.Process.Pid) {
		t.Errorf("process %d answers, want %d", pid, dead.cmd.Process.Pid)
	}
	dead.cmd.Process.Kill()
	dead.cmd.Wait()

	var all sync.WaitGroup
	var wins atomic.Int32
	begin := make(chan struct{})
	for range 100 {
		all.Go(func() {
			<-begin
			l, err := transport.Listen(context.Background(), address, nil)
			switch {
			case err == nil:
				wins.Add(1)
				t.Cleanup(func() { l.Close() })
			case !errors.Is(err, transport.ErrAddressInUse):
				t.Error(err)
			}
		})
	}
	close(begin)
	all.Wait()
	if n := wins.Load(); n != 1 {
		t.Fatalf("%d of 100 listen", n)
	}
	if said := startHolder(t, address).said; !strings.Contains(said, "in use") {
		t.Errorf("another process says %q", said)
	}
	dialFor(t, address, nil).Close()
}

// holder is a process that listens until its input ends.
type holder struct {
	cmd  *exec.Cmd
	said string
}

func startHolder(t *testing.T, address string) *holder {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	cmd := exec.Command(program, address)
	cmd.Env = append(os.Environ(), errandEnv+"=hold a pipe")
	stdin, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	said, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	return &holder{cmd, strings.TrimSpace(said)}
}

func TestWindowsPipesClose(t *testing.T) {
	l := listenFor(t, pipeAddress(t), nil)
	done := make(chan error)
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	living := dialFor(t, l.Addr(), nil)
	defer living.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	go func() {
		_, err := l.Accept()
		done <- err
	}()
	for range 2 {
		must(t, l.Close())
	}
	l.Retire()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: got %v, want net.ErrClosed", err)
	}
	// A connection lives on, and is in nobody's way.
	must(t, listenFor(t, l.Addr(), nil).Close())
}

func TestWindowsPipesAreGone(t *testing.T) {
	l := listenFor(t, pipeAddress(t), nil)
	must(t, l.Close())
	if _, err := transport.Dial(t.Context(), l.Addr(), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
}

// TestWindowsPipesRetire: those who came are accepted, and the next listener
// takes over at once.
func TestWindowsPipesRetire(t *testing.T) {
	l := listenFor(t, pipeAddress(t), nil)
	early := []transport.Conn{dialFor(t, l.Addr(), nil)}
	acceptFor(t, l).Close() // now there is a backlog
	for range 5 {
		early = append(early, dialFor(t, l.Addr(), nil))
	}
	l.Retire()
	next := listenFor(t, l.Addr(), nil)
	late := dialFor(t, l.Addr(), nil)
	defer late.Close()
	defer acceptFor(t, next).Close()
	for range 5 {
		defer acceptFor(t, l).Close()
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: got %v, want net.ErrClosed", err)
	}
	for _, c := range early {
		c.Close()
	}
}

// TestWindowsPipesAreBusy: of many who come at once each gets in.
func TestWindowsPipesAreBusy(t *testing.T) {
	l := listenFor(t, pipeAddress(t), nil)
	const n = 300
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			c, err := transport.Dial(context.Background(), l.Addr(), nil)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			if err := c.Write([]byte{2, 0, 0, 0, '{', '}'}); err != nil {
				t.Error(err)
			}
		})
	}
	for range n {
		c := acceptFor(t, l)
		if frame, err := c.ReadFrame(); err != nil || string(frame) != "{}" {
			t.Errorf("got %q, %v", frame, err)
		}
		c.Close()
	}
	all.Wait()
}

// TestWindowsPipesOfNobody: what is left of a service are its connections.
func TestWindowsPipesOfNobody(t *testing.T) {
	address := pipeAddress(t)
	makePipe(t, address, "O:"+transport.OwnSID()+"D:P(A;;FA;;;WD)")
	first := dialFor(t, address, nil)
	defer first.Close()
	if _, err := transport.Dial(t.Context(), address, nil); !errors.Is(err, transport.ErrRefused) {
		t.Errorf("got %v, want ErrRefused", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := transport.Dial(ctx, address, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestWindowsPipesDisconnect: servers of other makers end connections so.
func TestWindowsPipesDisconnect(t *testing.T) {
	address := pipeAddress(t)
	f := makePipe(t, address, "O:"+transport.OwnSID()+"D:P(A;;FA;;;WD)")
	c := dialFor(t, address, nil)
	defer c.Close()
	must(t, windows.DisconnectNamedPipe(windows.Handle(f.Fd())))
	if _, err := c.ReadFrame(); err != io.EOF {
		t.Errorf("got %v, want EOF", err)
	}
}

func TestServiceAddresses(t *testing.T) {
	t.Setenv(transport.RuntimeDirEnv, "")
	usual, err := transport.ServiceAddress("db")
	must(t, err)
	if want := "pipe:ekko-ipc+" + transport.OwnSID() + "+db"; usual != want {
		t.Errorf("got %s, want %s", usual, want)
	}
	t.Setenv(transport.RuntimeDirEnv, t.TempDir())
	other, err := transport.ServiceAddress("db")
	must(t, err)
	if other == usual {
		t.Error("two runtime directories share a pipe")
	}
	l := listenFor(t, other, nil)
	dialFor(t, l.Addr(), nil).Close()
	if left, err := os.ReadDir(os.Getenv(transport.RuntimeDirEnv)); err != nil || len(left) > 0 {
		t.Errorf("left on disk: %v, %v", left, err)
	}
}

func init() {
	errands["hold a pipe"] = func(args []string) int {
		l, err := transport.Listen(context.Background(), args[0], nil)
		if err != nil {
			fmt.Println(err)
			return 0
		}
		fmt.Println("listening")
		io.Copy(io.Discard, os.Stdin)
		l.Close()
		return 0
	}
}
