//! One source file on its way into the engine: syntax checked, types removed, imports listed.
//!
//! JavaScript goes in as written. TypeScript is printed again without its types, with a table that leads
//! back to the original positions. A file with `import` or `export` stays a module; any other becomes
//! the body of a CommonJS function, which also gives its plain top-level functions to the engine.

use std::path::Path;

use oxc::allocator::Allocator;
use oxc::ast::ast::{
    Argument, CallExpression, ExportAllDeclaration, ExportFromDeclaration, Expression, ImportDeclaration,
    ImportExpression, Statement,
};
use oxc::ast_visit::{Visit, walk};
use oxc::codegen::{Codegen, CodegenOptions, CodegenReturn};
use oxc::diagnostics::OxcDiagnostic;
use oxc::parser::Parser;
use oxc::semantic::SemanticBuilder;
use oxc::span::SourceType;
use oxc::transformer::{TransformOptions, Transformer};
use weir_api::plugin::Diagnostic;

use crate::bindings::weir::plugin::source::FileKind;
use crate::positions::{FileMap, excerpt, line_column};

/// Names under which the engine looks for plain top-level functions.
const TOP_LEVEL: [&str; 13] = [
    "setupPlugin",
    "teardownPlugin",
    "processEvent",
    "processEventBatch",
    "onEvent",
    "onSnapshot",
    "exportEvents",
    "composeWebhook",
    "getSettings",
    "runEveryMinute",
    "runEveryHour",
    "runEveryDay",
    "jobs",
];

#[derive(Debug, Clone)]
pub struct Stripped {
    pub kind: FileKind,
    pub code: String,
    pub map: FileMap,
    pub imports: Vec<Import>,
}

/// A specifier that is asked for at run time, with its position from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    pub specifier: String,
    pub line: u32,
    pub column: u32,
}

/// `path` decides the language and is the name in diagnostics.
pub fn strip(path: &str, text: &str) -> Result<Stripped, Box<Diagnostic>> {
    let typescript = Path::new(path).extension().is_some_and(|extension| extension == "ts" || extension == "mts");
    let source_type = if typescript { SourceType::ts().with_unambiguous(true) } else { SourceType::unambiguous() };
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type).parse();
    if let Some(problem) = parsed.diagnostics.iter().next() {
        return Err(diagnostic(path, text, problem));
    }
    let mut program = parsed.program;
    let built = SemanticBuilder::new().with_check_syntax_error(true).with_enum_eval(true).build(&program);
    if let Some(problem) = built.diagnostics.iter().next() {
        return Err(diagnostic(path, text, problem));
    }

    let mut printed = None;
    if typescript {
        let options = TransformOptions::default();
        let done = Transformer::new(&allocator, Path::new(path), &options)
            .build_with_scoping(built.semantic.into_scoping(), &mut program);
        if let Some(problem) = done.diagnostics.iter().next() {
            return Err(diagnostic(path, text, problem));
        }
        let options = CodegenOptions { source_map_path: Some(path.into()), ..CodegenOptions::default() };
        printed = Some(Codegen::new().with_options(options).build(&program));
    }

    let mut finder = ImportFinder { text, imports: Vec::new() };
    finder.visit_program(&program);
    let is_module = program.body.iter().any(Statement::is_module_declaration);
    let (code, table) = match printed {
        Some(CodegenReturn { code, map, .. }) => {
            let row = |token: oxc_sourcemap::Token| {
                [token.get_dst_line(), token.get_dst_col(), token.get_src_line(), token.get_src_col()]
            };
            (code, map.map(|map| map.get_tokens().map(row).collect()))
        }
        None => (text.to_owned(), None),
    };
    let imports = finder.imports;
    Ok(if is_module {
        let map = FileMap { lines_before: 0, table };
        Stripped { kind: FileKind::Module, code, map, imports }
    } else {
        let code =
            format!("(function (exports, require, module) {{\n{code}\n;return {{ {} }};\n}})", top_level_entries());
        Stripped { kind: FileKind::Script, code, map: FileMap { lines_before: 1, table }, imports }
    })
}

/// What the entry module is followed by, so that its plain top-level functions can be found too.
pub fn top_level_export() -> String {
    format!("\n;export const __weirTopLevel = {{ {} }};\n", top_level_entries())
}

fn top_level_entries() -> String {
    TOP_LEVEL.map(|name| format!("{name}: typeof {name} === \"undefined\" ? undefined : {name}")).join(", ")
}

#[allow(clippy::unnecessary_box_returns, reason = "errors of this crate carry it boxed")]
fn diagnostic(path: &str, text: &str, problem: &OxcDiagnostic) -> Box<Diagnostic> {
    let offset = problem.labels.first().map(oxc::diagnostics::LabeledSpan::offset);
    let (line, column) = offset.map_or((0, 0), |offset| line_column(text, offset as usize));
    Box::new(Diagnostic {
        message: problem.message.to_string(),
        file: path.to_owned(),
        line,
        column,
        excerpt: excerpt(text, line),
        hint: problem.help.as_ref().map(ToString::to_string),
    })
}

struct ImportFinder<'t> {
    text: &'t str,
    imports: Vec<Import>,
}

impl ImportFinder<'_> {
    fn add(&mut self, specifier: &str, offset: u32) {
        let (line, column) = line_column(self.text, offset as usize);
        self.imports.push(Import { specifier: specifier.to_owned(), line, column });
    }
}

impl<'a> Visit<'a> for ImportFinder<'_> {
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        self.add(&it.source.value, it.source.span.start);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        self.add(&it.source.value, it.source.span.start);
    }

    fn visit_export_from_declaration(&mut self, it: &ExportFromDeclaration<'a>) {
        self.add(&it.source.value, it.source.span.start);
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if let Expression::StringLiteral(source) = &it.source {
            self.add(&source.value, source.span.start);
        }
        walk::walk_import_expression(self, it);
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        if let (Expression::Identifier(callee), [Argument::StringLiteral(source)]) =
            (&it.callee, it.arguments.as_slice())
            && callee.name == "require"
        {
            self.add(&source.value, source.span.start);
        }
        walk::walk_call_expression(self, it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_vanish_and_positions_lead_back() {
        let text = "import { Plugin, RetryError } from '@posthog/plugin-scaffold'\n\
                    interface A { b: string }\n\n\
                    export function processEvent(event: any): A {\n    throw new RetryError('x')\n}\n";
        let stripped = strip("index.ts", text).expect("valid TypeScript");
        assert!(matches!(stripped.kind, FileKind::Module));
        assert!(!stripped.code.contains("interface") && !stripped.code.contains("Plugin,"));
        let at = stripped.code.find("throw").expect("kept");
        let (line, column) = line_column(&stripped.code, at);
        let mut positions = crate::positions::Positions::default();
        positions.insert("index.ts", stripped.map, text.into());
        let (_, place) = positions.stack(&format!("    at f (index.ts:{line}:{column})"));
        assert_eq!(place.map(|place| place.line), Some(5));
    }

    #[test]
    fn type_only_imports_are_not_asked_for() {
        let text =
            "import type { S3 } from 'aws-sdk'\nimport { Plugin } from 'x'\nlet p: Plugin\nconst y = require('./y')";
        let stripped = strip("index.ts", text).expect("valid TypeScript");
        let asked: Vec<_> = stripped.imports.iter().map(|import| import.specifier.as_str()).collect();
        assert_eq!(asked, ["./y"]);
        assert_eq!((stripped.imports[0].line, stripped.imports[0].column), (4, 19));
    }

    #[test]
    fn a_syntax_error_names_its_place() {
        let error = strip("index.ts", "export function f() {\n    return {a: };\n}\n").expect_err("not TypeScript");
        assert_eq!((error.file.as_str(), error.line), ("index.ts", 2));
        assert_eq!(error.excerpt, "return {a: };");
    }

    #[test]
    fn a_file_without_exports_becomes_a_function() {
        let stripped = strip("index.js", "function processEvent(e) { return e }").expect("valid JavaScript");
        assert!(matches!(stripped.kind, FileKind::Script));
        assert_eq!(stripped.map.lines_before, 1);
    }
}
