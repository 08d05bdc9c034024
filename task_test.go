package ipc_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/ekkojs/ipc"
)

// taskEnv makes the test binary a client: it holds an address and what to do
// there. It says that it is ready when it has come to the point at which it
// may be killed, and then does nothing more.
const taskEnv = "EKKO_IPC_TEST_TASK"

// stageEnv makes a service process that of newStage.
const stageEnv = "EKKO_IPC_TEST_STAGE"

// tasks are what a client process may do, by name.
var tasks = map[string]func(address string) error{
	"connect": func(address string) error {
		_, err := rawTask(address, "")
		return err
	},
	"send half a request": func(address string) error {
		text := string(framed(`{"type":"request","messageId":"task-00001","action":"hold","data":[1]}`))
		_, err := rawTask(address, text[:len(text)/2])
		return err
	},
	"send a request": func(address string) error {
		_, err := rawTask(address, string(framed(`{"type":"request","messageId":"task-00002","action":"hold","data":[1]}`)))
		return err
	},
	"read half an answer": func(address string) error {
		conn, err := rawTask(address, string(framed(`{"type":"request","messageId":"task-00003","action":"grow","data":[1000000]}`)))
		if err == nil {
			_, err = io.CopyN(io.Discard, conn, 500_000)
		}
		return err
	},
	"receive a stream": func(address string) error {
		st, err := streamTask(address, "give")
		for n := 0; n < 5 && err == nil; n++ {
			_, err = st.Recv(context.Background())
		}
		return err
	},
	"send a stream": func(address string) error {
		st, err := streamTask(address, "take")
		for n := 0; n < 5 && err == nil; n++ {
			err = st.Send(context.Background(), n)
		}
		return err
	},
	"stream both ways": func(address string) error {
		st, err := streamTask(address, "both")
		for n := 0; n < 5 && err == nil; n++ {
			if err = st.Send(context.Background(), n); err == nil {
				_, err = st.Recv(context.Background())
			}
		}
		return err
	},
	"subscribe": func(address string) error {
		c, err := ipc.Dial(context.Background(), address, nil)
		if err == nil {
			_, err = c.Subscribe(context.Background(), "noise", nil)
		}
		return err
	},
	"take jobs": takeJobs,
	"publish jobs": func(address string) (err error) {
		onTask.client, err = ipc.Dial(context.Background(), address, nil)
		return err
	},
}

// onTask is what a client process has in hand.
var onTask struct {
	client *ipc.Client
	jobs   []*ipc.Event
}

// The jobs that a client process takes and publishes.
const (
	takenByTask     = 3
	publishedByTask = 200
)

// takeJobs is a member of a group that takes some messages and does nothing
// about them.
func takeJobs(address string) error {
	c, err := ipc.Dial(context.Background(), address, nil)
	if err != nil {
		return err
	}
	o := &ipc.SubscribeOptions{Group: "packers", Credit: takenByTask, AckWait: time.Second}
	sub, err := c.Subscribe(context.Background(), "jobs", o)
	for n := 0; n < takenByTask && err == nil; n++ {
		var e *ipc.Event
		if e, err = sub.Next(context.Background()); err == nil {
			onTask.jobs = append(onTask.jobs, e)
		}
	}
	return err
}

// nextTasks are what a client process does once it is told to go on. It says
// how that went.
var nextTasks = map[string]func() string{
	"take jobs": func() string {
		var codes []string
		for _, e := range onTask.jobs {
			codes = append(codes, string(ipc.CodeOf(e.Ack(context.Background()))))
		}
		return strings.Join(codes, " ")
	},
	"publish jobs": func() string {
		for n := range publishedByTask {
			if _, err := onTask.client.PublishWith(context.Background(), "jobs", n, nil); err != nil {
				return err.Error()
			}
		}
		return "published"
	},
}

// rawTask sends bytes and keeps the connection open.
func rawTask(address, bytes string) (net.Conn, error) {
	conn, err := dialRaw(address)
	if err == nil {
		_, err = io.WriteString(conn, bytes)
		kept = append(kept, conn)
	}
	return conn, err
}

// kept are connections that are not to be closed by the garbage collector.
var kept []net.Conn

func streamTask(address, method string) (*ipc.Stream, error) {
	c, err := ipc.Dial(context.Background(), address, nil)
	if err != nil {
		return nil, err
	}
	return c.Stream(context.Background(), method)
}

func callAsProcess(task string) int {
	address, name, _ := strings.Cut(task, " ")
	if err := tasks[name](address); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("ready", name)
	if next := nextTasks[name]; next != nil {
		if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err == nil {
			fmt.Println(next())
		}
	}
	io.Copy(io.Discard, os.Stdin) // until the test that started it has ended
	return 0
}
