package main

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
)

// house checks what no common tool does: an exported name has a comment, and
// no test sleeps.
func house(context.Context, *runner) error {
	files, err := goFiles()
	if err != nil {
		return err
	}
	fset := token.NewFileSet()
	var wrong []error
	for _, path := range files {
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		say := func(at token.Pos, format string, args ...any) {
			wrong = append(wrong, fmt.Errorf("%s: "+format, append([]any{fset.Position(at)}, args...)...))
		}
		if isTest(path, f) {
			findSleeps(f, say)
		}
		if !strings.HasSuffix(path, "_test.go") && f.Name.Name != "main" {
			findUncommented(f, say)
		}
	}
	return errors.Join(wrong...)
}

type sayFunc func(at token.Pos, format string, args ...any)

// isTest also holds for packages that serve tests, such as transporttest.
func isTest(path string, f *ast.File) bool {
	return strings.HasSuffix(path, "_test.go") || strings.HasSuffix(f.Name.Name, "test")
}

// findSleeps reports time.Sleep. A file that uses testing/synctest may call
// it: in a bubble no time passes.
func findSleeps(f *ast.File, say sayFunc) {
	for _, i := range f.Imports {
		if i.Path.Value == `"testing/synctest"` {
			return
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Sleep" {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == "time" {
				say(s.Pos(), "time.Sleep in a test: wait for a fact, or use testing/synctest")
			}
		}
		return true
	})
}

// findUncommented reports exported declarations without a comment.
func findUncommented(f *ast.File, say sayFunc) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) && !isObvious(d) {
				say(d.Pos(), "%s has no comment", d.Name.Name)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				findUncommentedSpec(d, s, say)
			}
		}
	}
}

func findUncommentedSpec(d *ast.GenDecl, s ast.Spec, say sayFunc) {
	switch s := s.(type) {
	case *ast.TypeSpec:
		if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
			say(s.Pos(), "%s has no comment", s.Name.Name)
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				say(name.Pos(), "%s has no comment", name.Name)
			}
		}
	}
}

// isObvious holds for the methods whose meaning the standard library fixes.
func isObvious(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return false
	}
	switch d.Name.Name {
	case "Error", "String", "Unwrap", "Len", "Less", "Swap", "ServeHTTP":
		return true
	}
	return false
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil || len(d.Recv.List) == 0 {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported()
		default:
			return false
		}
	}
}
