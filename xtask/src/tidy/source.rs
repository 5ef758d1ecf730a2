//! One Rust source: its tokens in a row with their lines (comments left out), its functions, and the modules it names.

use proc_macro2::{Delimiter, LineColumn, Span, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Expr, Item, Lit, Meta};

use super::Finding;
use super::tree::Tree;

pub struct Source {
    pub path: String,
    pub tokens: Vec<Token>,
    pub functions: Vec<Function>,
    pub modules: Vec<Module>,
    /// The whole file is test code.
    pub test_only: bool,
}

/// A function with a body.
pub struct Function {
    pub name: String,
    /// The line of its `fn`.
    pub line: usize,
    /// Lines from there to its closing brace.
    pub lines: usize,
}

/// A `mod`.
pub struct Module {
    pub name: String,
    /// What `#[path]` says.
    pub stated_path: Option<String>,
    pub only_tests: bool,
    /// What it holds, when it has a body here.
    pub inline: Option<Vec<Module>>,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    pub kind: Kind,
    pub line: usize,
    /// It stands in an item under `#[cfg(test)]` or `#[test]`.
    pub in_test: bool,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    Word(String),
    Mark(char),
    /// A string literal's value.
    Text(String),
    Open(char),
    Close(char),
    Other,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Result<Self, (usize, String)> {
        let failed = |error: syn::Error| (error.span().start().line, error.to_string());
        let syntax = syn::parse_file(text).map_err(failed)?;
        let stream: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| (error.span().start().line, error.to_string()))?;
        let mut tokens = Vec::new();
        flatten(stream, false, &mut tokens);
        let test_only = path.split('/').any(|folder| folder == "tests" || folder == "benches");
        let mut functions = Functions(Vec::new());
        functions.visit_file(&syntax);
        Ok(Self { path: path.to_owned(), tokens, functions: functions.0, modules: modules(&syntax.items), test_only })
    }

    /// The tokens that are not test code.
    pub fn product_tokens(&self) -> Vec<&Token> {
        if self.test_only { Vec::new() } else { self.tokens.iter().filter(|token| !token.in_test).collect() }
    }

    /// The string literals in test code.
    pub fn texts_in_tests(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter(|token| self.test_only || token.in_test).filter_map(Token::text)
    }
}

impl Token {
    pub fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Word(own) if own == word)
    }
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark(mark)
    }
    pub fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }
    pub fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }
}

fn flatten(stream: TokenStream, in_test: bool, tokens: &mut Vec<Token>) {
    let mut marked = false; // after #[cfg(test)], until the end of the item
    let mut after_hash = false;
    for tree in stream {
        let line = start(&tree).line;
        let in_test = in_test || marked;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = brackets(group.delimiter());
                marked |= after_hash && open == '[' && is_test_attribute(&group.stream());
                tokens.push(Token { kind: Kind::Open(open), line, in_test });
                flatten(group.stream(), in_test, tokens);
                tokens.push(Token { kind: Kind::Close(close), line: group.span_close().start().line, in_test });
                if open == '{' {
                    marked = false;
                }
                after_hash = false;
            }
            TokenTree::Punct(punct) => {
                after_hash = punct.as_char() == '#';
                if punct.as_char() == ';' {
                    marked = false;
                }
                tokens.push(Token { kind: Kind::Mark(punct.as_char()), line, in_test });
            }
            TokenTree::Ident(word) => tokens.push(Token { kind: Kind::Word(word.to_string()), line, in_test }),
            TokenTree::Literal(literal) => {
                let kind = if let syn::Lit::Str(text) = syn::Lit::new(literal) { Kind::Text(text.value()) } else { Kind::Other };
                tokens.push(Token { kind, line, in_test });
            }
        }
    }
}

struct Functions(Vec<Function>);

impl Functions {
    fn measure(&mut self, signature: &syn::Signature, end: Span) {
        let line = signature.fn_token.span.start().line;
        self.0.push(Function { name: signature.ident.to_string(), line, lines: end.end().line + 1 - line });
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.measure(&function.sig, function.block.brace_token.span.close());
        visit::visit_item_fn(self, function);
    }
    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.measure(&function.sig, function.block.brace_token.span.close());
        visit::visit_impl_item_fn(self, function);
    }
    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block.brace_token.span.close());
        }
        visit::visit_trait_item_fn(self, function);
    }
}

fn modules(items: &[Item]) -> Vec<Module> {
    let modules = items.iter().filter_map(|item| if let Item::Mod(module) = item { Some(module) } else { None });
    let read = |module: &syn::ItemMod| Module {
        name: module.ident.to_string(),
        stated_path: module.attrs.iter().find_map(stated_path),
        only_tests: module
            .attrs
            .iter()
            .any(|attribute| matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")),
        inline: module.content.as_ref().map(|(_, items)| self::modules(items)),
    };
    modules.map(read).collect()
}

fn stated_path(attribute: &syn::Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(literal) = &pair.value else { return None };
    if let (true, Lit::Str(path)) = (pair.path.is_ident("path"), &literal.lit) { Some(path.value()) } else { None }
}

fn start(tree: &TokenTree) -> LineColumn {
    match tree {
        TokenTree::Group(group) => group.span_open().start(),
        other => other.span().start(),
    }
}

fn brackets(delimiter: Delimiter) -> (char, char) {
    match delimiter {
        Delimiter::Parenthesis => ('(', ')'),
        Delimiter::Brace => ('{', '}'),
        Delimiter::Bracket => ('[', ']'),
        Delimiter::None => (' ', ' '),
    }
}

fn is_test_attribute(attribute: &TokenStream) -> bool {
    let text: String = attribute.to_string().split_whitespace().collect();
    text == "test" || text.starts_with("cfg(test)") || text.starts_with("cfg(any(test,") || text.starts_with("cfg(all(test,")
}

/// What no rule can read is a finding itself.
pub fn check(tree: &Tree) -> Vec<Finding> {
    tree.unparsed.iter().map(|(path, line, reason)| Finding::new(path, *line, format!("does not parse: {reason}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_line_and_whether_they_are_test_code() {
        let text = "// a comment \"no\"\nfn a() { say(\"yes\\n\"); }\n#[cfg(test)]\nuse x::y;\n#[cfg(test)]\nmod tests {\n    const T: &str = r#\"in test\"#;\n}\nconst Z: &str = \"z\";\n";
        let source = Source::parse("a/src/lib.rs", text).unwrap();
        let texts: Vec<(&str, usize, bool)> = source.tokens.iter().filter_map(|t| Some((t.text()?, t.line, t.in_test))).collect();
        assert_eq!(texts, vec![("yes\n", 2, false), ("in test", 7, true), ("z", 9, false)]);
        assert!(source.tokens.iter().any(|token| token.is_word("y") && token.in_test));
        assert!(!source.product_tokens().iter().any(|token| token.is_word("tests") || token.is_word("y")));
        assert_eq!(source.texts_in_tests().collect::<Vec<_>>(), vec!["in test"]);
    }

    #[test]
    fn a_source_that_is_none_is_named_with_its_line() {
        let tree = super::super::tree::small(&[("a/src/lib.rs", "fn a() {}\nfn {\n")]);
        let findings = check(&tree);
        assert_eq!((findings.len(), findings[0].file.as_str(), findings[0].line), (1, "a/src/lib.rs", 2));
    }
}
