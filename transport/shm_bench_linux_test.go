package transport_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/ekkojs/ipc/transport"
)

// BenchmarkSideBySide sends frames to and fro between two processes, by every
// way in turns: on a machine with other things to do only what was measured
// at the same time can be compared. It reports the median of a round trip,
// and how it compares with the same bytes over a net.Conn; CPU is of both
// processes, for a round trip.
//
// Without looking again ("still") is how it is where other processes want the
// processors, too.
func BenchmarkSideBySide(b *testing.B) {
	for _, size := range echoSizes {
		b.Run(size.name, func(b *testing.B) {
			frame := binary.LittleEndian.AppendUint32(nil, uint32(size.n))
			frame = append(frame, make([]byte, size.n)...)
			ways := []*sideWay{
				bareWay(b, frame),
				frameWay(b, "unix", unixAddress(b), false), frameWay(b, "unix-still", unixAddress(b), true),
				frameWay(b, "shm", shmAddress(b), false), frameWay(b, "shm-still", shmAddress(b), true),
			}
			for b.Loop() {
				for _, w := range ways {
					w.round(b, frame, max(10, 10_000_000/(5_000+size.n)))
				}
			}
			for _, w := range ways {
				p50, cpu := w.result()
				b.ReportMetric(p50, w.name+"-p50-ns")
				if w != ways[0] {
					raw, rawCPU := ways[0].result()
					b.ReportMetric(p50/raw, w.name+"/raw")
					b.ReportMetric(cpu/rawCPU, w.name+"/raw-cpu")
				}
			}
		})
	}
}

// sideWay is one way and what was measured of it.
type sideWay struct {
	name  string
	still bool
	trip  func(frame []byte) error
	pid   int
	p50s  []float64 // of each round, in ns
	cpus  []float64 // of each round, in ns for a trip
}

func (w *sideWay) round(b *testing.B, frame []byte, trips int) {
	if w.still {
		defer transport.NoSpinForTest()()
	}
	took := make([]time.Duration, trips)
	for range trips / 5 { // for the other process to wake up fully
		must(b, w.trip(frame))
	}
	cpu := cpuOf(b, os.Getpid()) + cpuOf(b, w.pid)
	for i := range took {
		began := time.Now()
		must(b, w.trip(frame))
		took[i] = time.Since(began)
	}
	cpu = cpuOf(b, os.Getpid()) + cpuOf(b, w.pid) - cpu
	slices.Sort(took)
	w.p50s = append(w.p50s, float64(took[trips/2]))
	w.cpus = append(w.cpus, float64(cpu)/float64(trips))
}

func (w *sideWay) result() (p50, cpu float64) {
	slices.Sort(w.p50s)
	slices.Sort(w.cpus)
	return w.p50s[len(w.p50s)/2], w.cpus[len(w.cpus)/2]
}

// cpuOf returns how long a process has had a processor.
func cpuOf(b *testing.B, pid int) time.Duration {
	var at syscall.Timespec
	clock := ^pid<<3 | 2 // the kernel's number for the clock of a process
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, uintptr(clock), uintptr(unsafe.Pointer(&at)), 0); errno != 0 {
		b.Fatal(errno)
	}
	return time.Duration(at.Nano())
}

func bareWay(b *testing.B, frame []byte) *sideWay {
	e := sendOut(b, nil, "echo net.Conn", unixAddress(b), strconv.Itoa(len(frame)))
	e.expect("listening")
	c, err := net.Dial("unix", e.cmd.Args[1][len("unix:"):])
	must(b, err)
	b.Cleanup(func() { c.Close() })
	back := make([]byte, len(frame))
	return &sideWay{name: "raw", pid: e.cmd.Process.Pid, trip: func(frame []byte) error {
		if _, err := c.Write(frame); err != nil {
			return err
		}
		_, err := io.ReadFull(c, back)
		return err
	}}
}

func frameWay(b *testing.B, name, address string, still bool) *sideWay {
	args := []string{address}
	if still {
		args = append(args, "still")
	}
	e := sendOut(b, nil, "echo frames", args...)
	e.expect("listening")
	c := dialFor(b, address, echoOptions)
	b.Cleanup(func() { c.Close() })
	return &sideWay{name: name, still: still, pid: e.cmd.Process.Pid, trip: func(frame []byte) error {
		if err := c.Write(frame); err != nil {
			return err
		}
		_, err := c.ReadFrame()
		return err
	}}
}

// BenchmarkOneWaySideBySide sends frames as fast as the other process reads
// them, which says so after every 8 MiB. shm/unix is how many times as much
// went through in the same time.
func BenchmarkOneWaySideBySide(b *testing.B) {
	for _, size := range echoSizes {
		b.Run(size.name, func(b *testing.B) {
			const flow = 8 << 20
			runs := max(1, 64<<10/(4+size.n))
			frame := binary.LittleEndian.AppendUint32(nil, uint32(size.n))
			frame = append(frame, make([]byte, size.n)...)
			run := bytes.Repeat(frame, runs)
			times := flow / len(run)
			way := func(name, address string) *sideWay {
				e := sendOut(b, nil, "drink frames", address, strconv.Itoa(times*runs))
				e.expect("listening")
				c := dialFor(b, address, echoOptions)
				b.Cleanup(func() { c.Close() })
				return &sideWay{name: name, pid: e.cmd.Process.Pid, trip: func([]byte) error {
					for range times {
						if err := c.Write(run); err != nil {
							return err
						}
					}
					_, err := c.ReadFrame()
					return err
				}}
			}
			ways := []*sideWay{way("unix", unixAddress(b)), way("shm", shmAddress(b))}
			for b.Loop() {
				for _, w := range ways {
					w.round(b, frame, 10)
				}
			}
			unix, unixCPU := ways[0].result()
			shm, shmCPU := ways[1].result()
			b.ReportMetric(unix/shm, "shm/unix")
			b.ReportMetric(shmCPU/unixCPU, "shm/unix-cpu")
			b.ReportMetric(flow/shm*1000, "shm-MB/s")
			b.ReportMetric(flow/unix*1000, "unix-MB/s")
		})
	}
}
