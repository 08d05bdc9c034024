package manifest

import (
	"encoding/json"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// readTestdata is a file of testdata.
func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// mustParse is the manifest of a text that must be free of errors.
func mustParse(t testing.TB, text string) *Manifest {
	t.Helper()
	m, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return m
}

// The format's own example, as its author wrote it, must mean what it says.
func TestSeed(t *testing.T) {
	m := mustParse(t, string(readTestdata(t, "database-service.ekko.ipc.json")))
	if len(m.Warnings) > 0 {
		t.Errorf("warnings: %v", m.Warnings)
	}
	want := Service{
		Name: "database-service", Version: "1.0.0", Description: "Database access service",
		Transport: Transport{Type: TransportNamedPipe, Address: "ekko-db-service"},
		Weight:    1,
	}
	if d := cmp.Diff(want, m.Service); d != "" {
		t.Errorf("service (-want +got):\n%s", d)
	}
	signatures := []string{}
	for _, name := range m.MethodNames() {
		signatures = append(signatures, m.Methods[name].Signature())
	}
	if d := cmp.Diff([]string{
		"createUser(userData: object): object",
		"getUserById(id: number): {id: number, name: string, email: string}",
	}, signatures); d != "" {
		t.Errorf("methods (-want +got):\n%s", d)
	}
	if p := m.Methods["getUserById"].Parameters[0]; !p.Required {
		t.Error("id is not required")
	}
	if d := cmp.Diff([]string{"user.created", "user.updated"}, m.EventNames()); d != "" {
		t.Errorf("events (-want +got):\n%s", d)
	}
	if got := m.Events["user.updated"].Type.String(); got != "{id: number, changes: object, timestamp: string}" {
		t.Errorf("user.updated is %s", got)
	}
	if d := cmp.Diff(map[string]*Channel{
		"notifications": {Name: "notifications", Description: "General notifications", Type: ChannelBroadcast, OnSlow: OnSlowDropOldest, Publish: PublishAnyone},
		"user-events":   {Name: "user-events", Description: "User-related events", Type: ChannelTopic, OnSlow: OnSlowDropOldest, Publish: PublishAnyone},
	}, m.Channels); d != "" {
		t.Errorf("channels (-want +got):\n%s", d)
	}
}

// Each optional field arrives where it belongs.
func TestEveryField(t *testing.T) {
	m := mustParse(t, string(readTestdata(t, "everything.ekko.ipc.json")))
	if len(m.Warnings) > 0 {
		t.Errorf("warnings: %v", m.Warnings)
	}
	service := Service{
		Name: "shop-service", Version: "2.1.0-rc.1", Description: "Sells things",
		Tags: []string{"retail", "demo"}, Weight: 3,
		Transport: Transport{
			Type: TransportUnix, Address: "shop", Timeout: 1500 * time.Millisecond, MaxConnections: 128,
			Fallback: []Transport{
				{Type: TransportFIFO, Address: "shop"},
				{Type: TransportTCP, Address: "shop.example.com", Port: 7443, TLS: &TLS{
					CA: "ca.pem", Cert: "shop.pem", Key: "shop.key", ServerName: "shop", ClientCert: true,
				}},
			},
		},
		Instances: []Instance{
			{Transport{Type: TransportUnix, Address: "shop-2"}, 1},
			{Transport{Type: TransportTCP, Port: 7001}, 5},
		},
		Activation: &Activation{
			Command: "/usr/bin/shop", Args: []string{"--quiet", ""}, Env: map[string]string{"SHOP_MODE": "lean"},
			Cwd: "/var/lib/shop", IdleTimeout: time.Minute,
		},
	}
	if d := cmp.Diff(service, m.Service); d != "" {
		t.Errorf("service (-want +got):\n%s", d)
	}
	types := cmp.Transformer("type", func(t *Type) string { return t.String() })
	hidden := cmpopts.IgnoreUnexported(Method{}, Parameter{})
	buy := &Method{
		Name: "buy", Description: "Buys what is in the basket",
		Parameters: []*Parameter{
			{Name: "basket", Description: "What to buy", Type: expr(t, m, "Basket"), Required: true},
			{Name: "to", Type: expr(t, m, "Address")},
			{Name: "copies", Type: expr(t, m, "integer"), Default: []byte("1"), Validation: []byte(`{"minimum":1,"maximum":10}`)},
			{Name: "note", Type: expr(t, m, "string?")},
		},
		Returns: &Returns{
			Description: "The receipt", Nullable: true,
			Type: m.Methods["buy"].Returns.Type, // seen by its text below
		},
		Async: true, Timeout: 20 * time.Second, Idempotent: true,
		Cache:       &Cache{TTL: 250 * time.Millisecond, Key: []string{"basket"}},
		Permissions: []string{"customer", "admin"}, Concurrency: 4, Deprecated: "use order",
		Errors: []MethodError{{"APP_SOLD_OUT", "nothing left"}, {"NOT_FOUND", ""}},
	}
	if d := cmp.Diff(buy, m.Methods["buy"], types, hidden); d != "" {
		t.Errorf("buy (-want +got):\n%s", d)
	}
	for name, want := range map[string]string{
		"buy":   "buy(basket: Basket, to?: Address, copies: integer = 1, note?: string?): {order: string, total: Money}?",
		"watch": "watch(): stream Item[]",
		"raw":   "raw(...)",
	} {
		if got := m.Methods[name].Signature(); got != want {
			t.Errorf("signature\n got %s\nwant %s", got, want)
		}
	}
	if got := m.Methods["watch"]; got.Parameters == nil || len(got.Parameters) != 0 || got.Stream != StreamServer {
		t.Errorf("watch is %+v", got)
	}
	if m.Methods["raw"].Parameters != nil || m.Methods["raw"].Returns != nil {
		t.Error("raw declares something")
	}
	sold := &Event{Name: "item.sold", Description: "An item was sold", Category: "sales", Priority: PriorityHigh,
		Type: expr(t, m, "Item"), Publish: PublishService, Permissions: []string{"clerk"}}
	if d := cmp.Diff(sold, m.Events["item.sold"], types); d != "" {
		t.Errorf("item.sold (-want +got):\n%s", d)
	}
	sales := &Channel{
		Name: "sales", Description: "What happens to items", Type: ChannelQueue, Events: []string{"item.*"},
		Persistent: true, MaxSubscribers: 50, OnSlow: OnSlowBlock, Publish: PublishAnyone, Permissions: []string{"clerk"},
		Retention: &Retention{MaxMessages: 1000, MaxAge: time.Hour, MaxSize: 1 << 20},
	}
	if d := cmp.Diff(sales, m.Channels["sales"]); d != "" {
		t.Errorf("sales (-want +got):\n%s", d)
	}
	jobs := &Channel{Name: "jobs", Type: ChannelQueue, OnSlow: OnSlowReject, Publish: PublishAnyone}
	if d := cmp.Diff(jobs, m.Channels["jobs"]); d != "" {
		t.Errorf("jobs (-want +got):\n%s", d)
	}
	for name, want := range map[string]string{
		"Money":   "{amount: integer, currency: string}",
		"Item":    "{sku: string, price: Money, tags: string[], note?: string, parts?: Item[]}",
		"Basket":  "Item[]",
		"Address": "object",
	} {
		if got := m.Types[name].String(); got != want {
			t.Errorf("type %s is %s, want %s", name, got, want)
		}
	}
}

// expr is the type that an expression names within a manifest.
func expr(t testing.TB, m *Manifest, s string) *Type {
	t.Helper()
	r := &reader{report: &report{}, m: m}
	out := r.expression(&node{kind: '"', text: s})
	if len(r.problems) > 0 {
		t.Fatal(r.problems)
	}
	return out
}

func TestRawIsTheTextWithoutSpace(t *testing.T) {
	text := readTestdata(t, "everything.ekko.ipc.json")
	m := mustParse(t, string(text))
	var want, got any
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(m.Raw(), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("raw differs (-want +got):\n%s", d)
	}
	if strings.Contains(string(m.Raw()), "\n") || strings.Contains(string(m.Raw()), `": `) {
		t.Error("raw has space left in it")
	}
	if again := mustParse(t, string(m.Raw())); string(again.Raw()) != string(m.Raw()) {
		t.Error("raw is not stable")
	}
	marshalled, err := json.Marshal(m)
	if err != nil || string(marshalled) != string(m.Raw()) {
		t.Errorf("MarshalJSON differs from Raw: %v", err)
	}
	var unmarshalled Manifest
	if err := json.Unmarshal(marshalled, &unmarshalled); err != nil || unmarshalled.Service.Name != "shop-service" {
		t.Errorf("UnmarshalJSON: %v", err)
	}
	if err := json.Unmarshal([]byte(`{"service":{}}`), &unmarshalled); err == nil {
		t.Error("UnmarshalJSON took a manifest without a name")
	}
}

// A manifest does not hold on to the text it was made from.
func TestParseCopies(t *testing.T) {
	text := []byte(`{"service":{"name":"shop"},"methods":{"buy":{"parameters":[{"name":"a","type":"number","default":12}]}}}`)
	m, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	want := string(m.Raw())
	clear(text)
	args, err := m.Methods["buy"].Arguments(nil)
	if err != nil || len(args) != 1 || string(args[0]) != "12" || string(m.Raw()) != want {
		t.Errorf("after the text is gone: %q, %v, %s", args, err, m.Raw())
	}
}

func TestLookups(t *testing.T) {
	m := mustParse(t, string(readTestdata(t, "everything.ekko.ipc.json")))
	for name, want := range map[string]bool{
		"item.sold": true, "events.item.sold": true, "sales": true, "status": true,
		"item.found": false, "item": false, "": false, "events.": false, "broadcast.x": false,
	} {
		if got := m.Publishable(name); got != want {
			t.Errorf("Publishable(%q) = %v", name, got)
		}
	}
	if e := m.EventByName("events.item.sold"); e == nil || e.Name != "item.sold" {
		t.Errorf("EventByName: %v", e)
	}
	if c := m.ChannelOf("item.lost"); c == nil || c.Name != "sales" {
		t.Errorf("ChannelOf: %v", c)
	}
	if c := m.ChannelOf("events.status"); c == nil || c.Name != "status" {
		t.Errorf("ChannelOf a channel: %v", c)
	}
	if c := m.ChannelOf("ping"); c != nil {
		t.Errorf("ChannelOf an event of its own: %v", c)
	}
	for name, want := range map[string]string{
		"item.lost": "sales", "events.item.sold": "sales", "item.never": "sales", "sales": "sales", "events.status": "status",
		"ping": "ping", "events.ping": "ping", "who.knows": "who.knows", "": "",
	} {
		if got := m.StreamOf(name); got != want {
			t.Errorf("StreamOf(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]bool{
		"item.sold": false, "events.item.sold": false, "item.lost": true, "sales": true, "status": false, "events.status": false,
		"ping": true, "who.knows": true,
	} {
		if got := m.ClientsMayPublish(name); got != want {
			t.Errorf("ClientsMayPublish(%q) = %t", name, got)
		}
	}
	for name, want := range map[string]string{"by": "buy", "Watch": "watch", "wathc": "watch", "fetch": "", "": ""} {
		if got := m.Suggest(name); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"item.slod": "item.sold", "events.statsu": "status", "x": ""} {
		if got := m.SuggestEvent(name); got != want {
			t.Errorf("SuggestEvent(%q) = %q, want %q", name, got, want)
		}
	}
	m.MethodNames()[0] = "changed"
	if m.MethodNames()[0] == "changed" {
		t.Error("MethodNames gives away the manifest's own list")
	}
}

// An event that two channels bundle travels on the first of them by name, its own
// before all, and is numbered there.
func TestStreamOfSharedEvents(t *testing.T) {
	m := mustParse(t, `{"service":{"name":"shop"},"events":{"sold":{},"sent.out":{},"ping":{}},"channels":{
		"b":{"events":["sent.*"],"publish":"service"},"a":{"events":["sent.out"]},"sold":{},"all":{"events":["sold","**"],"publish":"service"}}}`)
	for event, want := range map[string]string{"sent.out": "a", "sold": "sold", "ping": "all"} {
		if got := m.StreamOf(event); got != want {
			t.Errorf("StreamOf(%q) = %q, want %q", event, got, want)
		}
		if got := m.ClientsMayPublish(event); got != (want != "all") {
			t.Errorf("ClientsMayPublish(%q) = %t", event, got)
		}
	}
	if len(m.Warnings) == 0 {
		t.Error("nobody is warned")
	}
}

// Nothing declared is nothing forbidden.
func TestNilManifest(t *testing.T) {
	var m *Manifest
	if !m.Publishable("anything") || string(m.Raw()) != "null" || m.Suggest("x")+m.SuggestEvent("x") != "" ||
		len(m.MethodNames())+len(m.EventNames())+len(m.ChannelNames()) != 0 ||
		m.ChannelByName("x") != nil || m.ChannelOf("x") != nil || m.StreamOf("events.x") != "x" || !m.ClientsMayPublish("x") {
		t.Error("a nil manifest promises something")
	}
	if err := m.MethodByName("x").CheckArguments([]byte(`[1]`)); err != nil {
		t.Error(err)
	}
	if err := m.MethodByName("x").CheckResult([]byte(`1`)); err != nil {
		t.Error(err)
	}
	if err := m.EventByName("x").Check(nil); err != nil {
		t.Error(err)
	}
	if args, err := m.MethodByName("x").Arguments([]byte(`[1, [2]]`)); err != nil || len(args) != 2 || string(args[1]) != "[2]" {
		t.Errorf("arguments %q, %v", args, err)
	}
}

// A manifest may be used by all goroutines at once; the race detector watches.
func TestConcurrentUse(t *testing.T) {
	m := mustParse(t, string(readTestdata(t, "everything.ekko.ipc.json")))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				m.Methods["buy"].CheckArguments([]byte(`{"basket":[],"to":{"zip":"12345"},"copies":3}`))
				m.Methods["buy"].CheckArguments([]byte(`{"basket":[{"sku":1}],"to":{"zip":"1"},"copies":30}`))
				m.Events["item.lost"].Check([]byte(`{"sku":"a","when":"2026-01-01T00:00:00Z"}`))
				m.Methods["buy"].Arguments([]byte(`[[]]`))
				m.Methods["buy"].Signature()
				m.Suggest("bye")
				m.Raw()
			}
		})
	}
	wg.Wait()
}

func TestReservedNames(t *testing.T) {
	text := []byte(`{"service":{"name":"ekko"},"events":{"broadcast.global":{}}}`)
	if _, err := Parse(text); err == nil {
		t.Error("a reserved name was taken")
	}
	m, err := (&Options{AllowReserved: true}).Parse(text)
	if err != nil || m.Service.Name != "ekko" {
		t.Errorf("with AllowReserved: %v", err)
	}
}

func TestSizes(t *testing.T) {
	pad := func(n int) []byte {
		text := `{"service":{"name":"shop"},"x-pad":"`
		return []byte(text + strings.Repeat("a", n-len(text)-2) + `"}`)
	}
	for _, c := range []struct {
		o    *Options
		size int
		ok   bool
	}{
		{nil, DefaultMaxSize, true},
		{nil, DefaultMaxSize + 1, false},
		{&Options{MaxSize: MaxSize}, MaxSize, true},
		{&Options{MaxSize: 10 * MaxSize}, MaxSize, true},
		{&Options{MaxSize: 10 * MaxSize}, MaxSize + 1, false},
		{&Options{MaxSize: 100}, 100, true},
		{&Options{MaxSize: 100}, 101, false},
	} {
		_, err := c.o.Parse(pad(c.size))
		if (err == nil) != c.ok {
			t.Errorf("%d bytes with %+v: %v", c.size, c.o, err)
		}
	}
}

func TestSyntaxError(t *testing.T) {
	_, err := Parse([]byte("{\n  \"service\": {\"name\": 5},\n  \"methods\": 6,\n  \"x\": 1\n}"))
	se, ok := err.(*SyntaxError)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	if se.Line != 2 || se.Column != 23 || se.Path != "/service/name" || se.Severity != Error || len(se.Problems) != 3 {
		t.Errorf("%+v", se)
	}
	want := `manifest: line 2, column 23: "name" must be a string, not a number (and 1 more)`
	if err.Error() != want {
		t.Errorf("got  %s\nwant %s", err, want)
	}
	if got := se.Problems[2].String(); got != `4:3: warning: unknown field "x" (/x)` {
		t.Errorf("problem is %s", got)
	}
}
