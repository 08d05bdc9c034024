package manifest_test

import (
	"fmt"

	"github.com/ekkojs/ipc/manifest"
)

const shop = `{
  "service": {"name": "shop"},
  "types": {"User": {"id": "number", "name": "string", "email": "string?"}},
  "methods": {
    "getUser": {
      "parameters": [{"name": "id", "type": "number"}, {"name": "deep", "type": "boolean", "default": false}],
      "returns": {"type": "User"}
    }
  }
}`

func Example() {
	m, err := manifest.Parse([]byte(shop))
	if err != nil {
		fmt.Println(err)
		return
	}
	getUser := m.MethodByName("getUser")
	fmt.Println(getUser.Signature())
	fmt.Println(getUser.CheckArguments([]byte(`["123"]`)))
	fmt.Println(getUser.CheckArguments([]byte(`{"id": 123, "depp": true}`)))
	fmt.Println(getUser.CheckResult([]byte(`{"id": 123, "name": "Ada"}`)))
	fmt.Println(getUser.CheckResult([]byte(`{"id": 123}`)))
	fmt.Println(m.Suggest("getuser"))
	// Output:
	// getUser(id: number, deep: boolean = false): User
	// parameter id: expected number, got string
	// unknown argument "depp": did you mean "deep"?
	// <nil>
	// result.name is missing: expected string
	// getUser
}

func ExampleMethod_Arguments() {
	m, err := manifest.Parse([]byte(shop))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, data := range []string{`[123]`, `123`, `{"deep": true, "id": 123}`, ``} {
		args, err := m.MethodByName("getUser").Arguments([]byte(data))
		fmt.Printf("%s %v\n", args, err)
	}
	// Output:
	// [123 false] <nil>
	// [123 false] <nil>
	// [123 true] <nil>
	// [] parameter id is missing: expected number
}

func ExampleLint() {
	for _, p := range manifest.Lint([]byte(`{
  "service": {"name": "shop", "verison": "1.0.0"},
  "methods": {"buy": {"parameters": [{"name": "id", "type": "nubmer"}]}}
}`)) {
		fmt.Println(p)
	}
	// Output:
	// 2:31: warning: unknown field "verison": did you mean "version"? (/service/verison)
	// 3:61: error: unknown type "nubmer": did you mean "number"? (/methods/buy/parameters/0/type)
}
