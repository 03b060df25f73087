package org.tokentune.chat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the statements of a template. What it does not know is refused by its name. */
final class Parser {

  private static final Set<String> UNSUPPORTED =
      Set.of("autoescape", "block", "debug", "do", "extends", "from", "import", "include", "trans");

  private final Tokens tokens;
  private final UnknownNames unknown = new UnknownNames();
  private final ExpressionParser expressions;

  /** How many loops are around a statement, without those outside its macro or block. */
  private int loops;

  private boolean marked;

  private Parser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens, unknown);
  }

  /**
   * A template that was read.
   *
   * @param marked whether it has generation blocks
   */
  record Parsed(Stmt.Block block, boolean marked) {}

  static Parsed parse(String template, int maximumDepth) {
    Parser parser = new Parser(new Tokens(Lexer.tokens(template), maximumDepth));
    Stmt.Block block = parser.block("the template", Set.of());
    parser.unknown.check();
    return new Parsed(block, parser.marked);
  }

  /**
   * Statements up to one of the tags at the end, whose name is then the current token; with no
   * tags, up to the end of the template.
   */
  private Stmt.Block block(String opened, Set<String> ends) {
    tokens.enter();
    int line = tokens.current().line();
    List<Stmt> statements = new ArrayList<>();
    while (!tokens.is(Token.Kind.END)) {
      if (tokens.is(Token.Kind.DATA)) {
        statements.add(new Stmt.Data(tokens.next().text()));
      } else if (tokens.is(Token.Kind.OUTPUT_BEGIN)) {
        int begun = tokens.next().line();
        statements.add(new Stmt.Output(List.of(expressions.tuple(true, false, null)), begun));
        tokens.expect(Token.Kind.OUTPUT_END, "end of print statement");
      } else {
        tokens.next();
        if (tokens.is(Token.Kind.NAME) && ends.contains(tokens.current().text())) {
          tokens.leave();
          return new Stmt.Block(List.copyOf(statements));
        }
        statements.add(statement());
        tokens.expect(Token.Kind.BLOCK_END, "end of statement block");
      }
    }
    if (!ends.isEmpty()) {
      throw new ChatTemplateException(
          "unexpected end of template: " + opened + " on line " + line + " has no end", line);
    }
    tokens.leave();
    return new Stmt.Block(List.copyOf(statements));
  }

  private Stmt.Block body(String tag, String... ends) {
    tokens.expect(Token.Kind.BLOCK_END, "end of statement block");
    return block(tag, Set.of(ends));
  }

  private Stmt statement() {
    Token tag = tokens.expect(Token.Kind.NAME, "the name of a tag");
    int line = tag.line();
    return switch (tag.text()) {
      case "if" -> conditional(line);
      case "for" -> loop(line);
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "call" -> call(line);
      case "filter" -> filter(line);
      case "with" -> with(line);
      case "generation" -> generation(line);
      case "print" -> print(line);
      case "break", "continue" -> jump(tag);
      default ->
          throw new ChatTemplateException(
              UNSUPPORTED.contains(tag.text())
                  ? "the tag " + Printing.quoted(tag.text()) + " of Jinja2 is not supported"
                  : "unknown tag " + Printing.quoted(tag.text()),
              line);
    };
  }

  private Stmt jump(Token tag) {
    if (loops == 0) {
      throw new ChatTemplateException(
          Printing.quoted(tag.text()) + " stands outside of a loop", tag.line());
    }
    return new Stmt.Jump(tag.text().equals("break") ? Stmt.End.BREAK : Stmt.End.CONTINUE);
  }

  private Stmt print(int line) {
    List<Expr> values = new ArrayList<>();
    while (!tokens.is(Token.Kind.BLOCK_END)) {
      if (!values.isEmpty()) {
        tokens.expectOperator(",");
      }
      values.add(expressions.expression());
    }
    return new Stmt.Output(values, line);
  }

  private Stmt conditional(int line) {
    int mark = unknown.mark();
    Expr test = expressions.tuple(false, false, null);
    Stmt.Block then = body("the tag 'if'", "elif", "else", "endif");
    Stmt.Block otherwise = new Stmt.Block(List.of());
    if (tokens.isName("elif")) {
      int next = tokens.next().line();
      tokens.enter();
      otherwise = new Stmt.Block(List.of(conditional(next)));
      tokens.leave();
    } else {
      if (tokens.skipName("else")) {
        otherwise = body("the tag 'else'", "endif");
      }
      tokens.next();
    }
    unknown.forgive(mark);
    return new Stmt.If(test, then, otherwise, line);
  }

  private Stmt loop(int line) {
    Target target = expressions.target("in");
    if (!tokens.skipName("in")) {
      throw tokens.error("expected 'in', got " + tokens.current().describe());
    }
    Expr elements = expressions.tuple(false, false, "recursive");
    int mark = unknown.mark();
    Expr test = tokens.skipName("if") ? expressions.expression() : null;
    boolean recursive = tokens.skipName("recursive");
    loops++;
    Stmt.Block body = body("the tag 'for'", "endfor", "else");
    loops--;
    Stmt.Block otherwise = new Stmt.Block(List.of());
    if (tokens.next().isName("else")) {
      otherwise = body("the tag 'else'", "endfor");
      tokens.next();
    }
    unknown.settle(mark);
    return new Stmt.For(target, elements, test, recursive, body, otherwise, line);
  }

  private Stmt set(int line) {
    Target target = expressions.target(null);
    if (tokens.skipOperator("=")) {
      return new Stmt.Set(target, expressions.tuple(true, false, null), line);
    }
    int mark = unknown.mark();
    Expr filter = tokens.isOperator("|") ? expressions.filters(null) : null;
    Stmt.Block body = body("the tag 'set'", "endset");
    tokens.next();
    unknown.settle(mark);
    return new Stmt.SetBlock(target, filter, body, line);
  }

  /** A body that a loop around it cannot be left from. */
  private Stmt.Block inner(String tag, String end) {
    int around = loops;
    loops = 0;
    Stmt.Block body = body(tag, end);
    tokens.next();
    loops = around;
    return body;
  }

  private Stmt filter(int line) {
    int mark = unknown.mark();
    Expr filter = expressions.filters(expressions.filter(null));
    Stmt.Block body = body("the tag 'filter'", "endfilter");
    tokens.next();
    unknown.settle(mark);
    return new Stmt.FilterBlock(filter, body, line);
  }

  private Stmt with(int line) {
    int mark = unknown.mark();
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!tokens.is(Token.Kind.BLOCK_END)) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(new Target.Variable(expressions.assigned()));
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    Stmt.Block body = body("the tag 'with'", "endwith");
    tokens.next();
    unknown.settle(mark);
    return new Stmt.With(targets, values, body, line);
  }

  private Stmt generation(int line) {
    marked = true;
    int mark = unknown.mark();
    Stmt.Block body = inner("the tag 'generation'", "endgeneration");
    unknown.settle(mark);
    return new Stmt.Generation(body, line);
  }

  private Stmt macro(int line) {
    String name = expressions.assigned();
    return new Stmt.MacroBlock(definition(name, "the tag 'macro'", "endmacro"), line);
  }

  private Stmt call(int line) {
    Definer definer = new Definer();
    if (tokens.isOperator("(")) {
      definer.signature();
    }
    Expr expression = expressions.expression();
    if (!(expression instanceof Expr.Call call)) {
      throw new ChatTemplateException("expected a call after the tag 'call'", line);
    }
    return new Stmt.CallBlock(call, definer.body(null, "the tag 'call'", "endcall"), line);
  }

  private Stmt.Definition definition(String name, String tag, String end) {
    Definer definer = new Definer();
    definer.signature();
    return definer.body(name, tag, end);
  }

  /** Reads the parameters and the body of a macro. */
  private final class Definer {

    private final List<String> parameters = new ArrayList<>();
    private final List<Expr> defaults = new ArrayList<>();
    private final int mark = unknown.mark();

    void signature() {
      tokens.expectOperator("(");
      while (!tokens.skipOperator(")")) {
        if (!parameters.isEmpty()) {
          tokens.expectOperator(",");
        }
        String parameter = expressions.assigned();
        if (parameters.contains(parameter)) {
          throw tokens.error("the parameter " + Printing.quoted(parameter) + " is named twice");
        }
        parameters.add(parameter);
        if (tokens.skipOperator("=")) {
          defaults.add(expressions.expression());
        } else if (!defaults.isEmpty()) {
          throw tokens.error("non-default argument follows default argument");
        }
      }
    }

    Stmt.Definition body(String name, String tag, String end) {
      Set<String> before = expressions.collect();
      Stmt.Block body = inner(tag, end);
      Set<String> used = expressions.collected(before);
      unknown.settle(mark);
      return new Stmt.Definition(
          name,
          parameters,
          defaults,
          body,
          used.contains("caller"),
          used.contains("kwargs") && !parameters.contains("kwargs"),
          used.contains("varargs") && !parameters.contains("varargs"));
    }
  }
}
