package script

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"
)

// fetchLimit is the longest body that fetch reads.
const fetchLimit = 64 << 20

// fetcher carries the requests of fetch.
type fetcher struct {
	once sync.Once
	own  *http.Transport // nil if the transport is Options.HTTP
	via  http.RoundTripper
}

func (f *fetcher) transport(given http.RoundTripper) http.RoundTripper {
	f.once.Do(func() {
		if f.via = given; given == nil {
			f.own = http.DefaultTransport.(*http.Transport).Clone()
			f.via = f.own
		}
	})
	return f.via
}

func (f *fetcher) close() {
	if f.own != nil {
		f.own.CloseIdleConnections()
	}
}

// fetchRequest is what fetch asks for.
type fetchRequest struct {
	URL      string      `json:"url"`
	Method   string      `json:"method"`
	Headers  [][2]string `json:"headers"`
	Body     *string     `json:"body"` // base64; nil: none
	Redirect string      `json:"redirect"`
}

// fetchResponse is what it gets. Text is the body if that is UTF-8, which
// most are, else Bytes is, as base64.
type fetchResponse struct {
	URL        string      `json:"url"`
	Status     int         `json:"status"`
	StatusText string      `json:"statusText"`
	Headers    [][2]string `json:"headers"`
	Redirected bool        `json:"redirected"`
	Text       *string     `json:"text,omitempty"`
	Bytes      string      `json:"bytes,omitempty"`
}

func (a *app) opFetch(op *operation) {
	id := op.id()
	var request fetchRequest
	op.json(&request)
	ctx, cancel := context.WithCancel(a.life)
	a.calls.add(id, cancel)
	a.workers.Go(func() {
		defer a.calls.remove(id)
		response, err := a.fetch(ctx, &request)
		a.inbox.put(func(dst []byte) []byte {
			if err != nil {
				return appendText(append(appendHead(dst, "unfetched", id), ','), err.Error())
			}
			return appendValue(append(appendHead(dst, "fetched", id), ','), response)
		})
	})
}

func (a *app) fetch(ctx context.Context, r *fetchRequest) (*fetchResponse, error) {
	request, err := r.request(ctx)
	if err != nil {
		return nil, err
	}
	redirected := false
	client := &http.Client{
		Transport: a.fetcher.transport(a.HTTP),
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			switch {
			case r.Redirect == "manual":
				return http.ErrUseLastResponse
			case r.Redirect == "error":
				return fmt.Errorf("the server redirects")
			case len(via) >= 20:
				return fmt.Errorf("more than 20 redirects")
			}
			redirected = true
			return nil
		},
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, fetchLimit+1))
	if err != nil {
		return nil, err
	}
	if len(body) > fetchLimit {
		return nil, fmt.Errorf("the response is longer than %d bytes", fetchLimit)
	}
	out := &fetchResponse{
		URL:        response.Request.URL.String(),
		Status:     response.StatusCode,
		StatusText: strings.TrimPrefix(strings.TrimPrefix(response.Status, fmt.Sprint(response.StatusCode)), " "),
		Redirected: redirected,
		Headers:    [][2]string{},
	}
	for name, values := range response.Header {
		for _, value := range values {
			out.Headers = append(out.Headers, [2]string{name, value})
		}
	}
	if utf8.Valid(body) {
		text := string(body)
		out.Text = &text
	} else {
		out.Bytes = base64.StdEncoding.EncodeToString(body)
	}
	return out, nil
}

func (r *fetchRequest) request(ctx context.Context) (*http.Request, error) {
	var body io.Reader
	if r.Body != nil {
		text, err := base64.StdEncoding.DecodeString(*r.Body)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, r.URL, body)
	if err != nil {
		return nil, err
	}
	for _, header := range r.Headers {
		request.Header.Add(header[0], header[1])
	}
	return request, nil
}
