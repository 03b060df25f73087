package org.tokentune.chat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions, by the precedence of Jinja2, which is not quite Python's. */
final class ExpressionParser {

  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<String> CONSTANTS =
      Set.of("true", "True", "false", "False", "none", "None");

  private final Tokens tokens;
  private final UnknownNames unknown;

  /** All variables that were read so far, to know what a macro uses. */
  private Set<String> read = new LinkedHashSet<>();

  ExpressionParser(Tokens tokens, UnknownNames unknown) {
    this.tokens = tokens;
    this.unknown = unknown;
  }

  /** Collects the variables read from now on. */
  Set<String> collect() {
    Set<String> before = read;
    read = new LinkedHashSet<>();
    return before;
  }

  /**
   * Ends what {@link #collect} began.
   *
   * @param before what it returned
   * @return the variables in between
   */
  Set<String> collected(Set<String> before) {
    Set<String> found = read;
    read = before;
    read.addAll(found);
    return found;
  }

  Expr expression() {
    return expression(true);
  }

  /**
   * @param conditional whether {@code a if b} is read: not where an if belongs to a loop
   */
  Expr expression(boolean conditional) {
    tokens.enter();
    int mark = unknown.mark();
    Expr result = or();
    while (conditional && tokens.isName("if")) {
      int line = tokens.next().line();
      Expr test = or();
      Expr otherwise = tokens.skipName("else") ? expression() : null;
      result = new Expr.Conditional(test, result, otherwise, line);
      unknown.forgive(mark);
    }
    tokens.leave();
    return result;
  }

  private Expr or() {
    Expr left = and();
    while (tokens.skipName("or")) {
      left = new Expr.Logical(false, left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (tokens.skipName("and")) {
      left = new Expr.Logical(true, left, not());
    }
    return left;
  }

  private Expr not() {
    if (tokens.skipName("not")) {
      tokens.enter();
      Expr operand = not();
      tokens.leave();
      return new Expr.Not(operand);
    }
    return comparison();
  }

  private Expr comparison() {
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> operands = new ArrayList<>();
    while (true) {
      if (tokens.is(Token.Kind.OPERATOR) && COMPARISONS.contains(tokens.current().text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (tokens.isName("not") && tokens.following().isName("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        return operands.isEmpty() ? first : new Expr.Comparison(first, operators, operands);
      }
      operands.add(sum());
    }
  }

  private Expr sum() {
    Expr left = concatenation();
    while (tokens.isOperator("+") || tokens.isOperator("-")) {
      left = new Expr.Binary(tokens.next().text(), left, concatenation());
    }
    return left;
  }

  private Expr concatenation() {
    Expr first = product();
    if (!tokens.isOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (tokens.skipOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concatenation(parts);
  }

  private Expr product() {
    Expr left = power();
    while (tokens.isOperator("*")
        || tokens.isOperator("/")
        || tokens.isOperator("//")
        || tokens.isOperator("%")) {
      left = new Expr.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(true);
    while (tokens.skipOperator("**")) {
      left = new Expr.Binary("**", left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean filters) {
    tokens.enter();
    Expr result;
    if (tokens.skipOperator("-")) {
      result = new Expr.Signed(true, unary(false));
    } else if (tokens.skipOperator("+")) {
      result = new Expr.Signed(false, unary(false));
    } else {
      result = primary();
    }
    result = postfix(result);
    if (filters) {
      result = filtersAndTests(result);
    }
    tokens.leave();
    return result;
  }

  private Expr primary() {
    Token token = tokens.current();
    switch (token.kind()) {
      case NAME -> {
        tokens.next();
        return name(token);
      }
      case TEXT -> {
        StringBuilder text = new StringBuilder();
        while (tokens.is(Token.Kind.TEXT)) {
          text.append(tokens.next().text());
        }
        return new Expr.Constant(Value.of(text.toString()));
      }
      case INTEGER -> {
        if (tokens.next().text().length() > 1000) {
          throw tokens.error("a number of more than 1000 digits is too long");
        }
        return new Expr.Constant(new Value.Int(new BigInteger(token.text())));
      }
      case REAL -> {
        return new Expr.Constant(new Value.Real(Double.parseDouble(tokens.next().text())));
      }
      default -> {
        if (tokens.skipOperator("(")) {
          Expr tuple = tuple(true, true, null);
          tokens.expectOperator(")");
          return tuple;
        } else if (tokens.skipOperator("[")) {
          return new Expr.ListOf(items("]"));
        } else if (tokens.skipOperator("{")) {
          return dict();
        }
        throw tokens.error("unexpected " + token.describe());
      }
    }
  }

  private Expr name(Token token) {
    String name = token.text();
    return switch (name) {
      case "true", "True" -> new Expr.Constant(Value.TRUE);
      case "false", "False" -> new Expr.Constant(Value.FALSE);
      case "none", "None" -> new Expr.Constant(Value.NONE);
      case "lipsum", "self", "super" ->
          throw new ChatTemplateException(
              "the name " + Printing.quoted(name) + " of Jinja2 is not supported", token.line());
      default -> {
        read.add(name);
        yield new Expr.Name(name);
      }
    };
  }

  private List<Expr> items(String end) {
    List<Expr> items = new ArrayList<>();
    while (!tokens.skipOperator(end)) {
      if (!items.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(end)) {
          break;
        }
      }
      items.add(expression());
    }
    return items;
  }

  private Expr dict() {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!tokens.skipOperator("}")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.skipOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
    }
    return new Expr.DictOf(keys, values);
  }

  /**
   * One expression, or several with commas between them.
   *
   * @param conditional whether {@code a if b} is read
   * @param parentheses whether there may be none
   * @param end a name before which a comma may stand; null if there is none
   */
  Expr tuple(boolean conditional, boolean parentheses, String end) {
    List<Expr> items = new ArrayList<>();
    boolean tuple = false;
    while (true) {
      if (!items.isEmpty()) {
        if (!tokens.skipOperator(",")) {
          break;
        }
        tuple = true;
      }
      if (tokens.is(Token.Kind.OUTPUT_END)
          || tokens.is(Token.Kind.BLOCK_END)
          || tokens.isOperator(")")
          || (end != null && tokens.isName(end))) {
        break;
      }
      items.add(expression(conditional));
    }
    if (items.isEmpty() && !parentheses) {
      throw tokens.error("expected an expression, got " + tokens.current().describe());
    }
    return tuple || items.isEmpty() ? new Expr.TupleOf(items) : items.get(0);
  }

  private Expr postfix(Expr start) {
    Expr result = start;
    while (true) {
      if (tokens.skipOperator(".")) {
        result = attribute(result);
      } else if (tokens.skipOperator("[")) {
        result = new Expr.Item(result, subscript());
      } else if (tokens.isOperator("(")) {
        result = call(result);
      } else {
        return result;
      }
    }
  }

  private Expr attribute(Expr owner) {
    if (tokens.is(Token.Kind.INTEGER)) {
      BigInteger index = new BigInteger(tokens.next().text());
      return new Expr.Item(owner, new Expr.Constant(new Value.Int(index)));
    }
    Token name = tokens.expect(Token.Kind.NAME, "name or number");
    if (tokens.isOperator("(") && Methods.isUnsupported(name.text())) {
      throw new ChatTemplateException(
          "the method " + Printing.quoted(name.text()) + " is not supported", name.line());
    }
    return new Expr.Attribute(owner, name.text());
  }

  private Expr subscript() {
    List<Expr> keys = new ArrayList<>();
    boolean several = false;
    while (!tokens.skipOperator("]")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
        several = true;
      }
      keys.add(subscripted());
    }
    if (keys.isEmpty()) {
      throw tokens.error("expected an expression between the brackets");
    }
    return several ? new Expr.TupleOf(keys) : keys.get(0);
  }

  private Expr subscripted() {
    Expr start = null;
    if (!tokens.isOperator(":")) {
      start = expression();
      if (!tokens.isOperator(":")) {
        return start;
      }
    }
    tokens.expectOperator(":");
    Expr stop = null;
    Expr step = null;
    if (!isSliceEnd() && !tokens.isOperator(":")) {
      stop = expression();
    }
    if (tokens.skipOperator(":") && !isSliceEnd()) {
      step = expression();
    }
    return new Expr.SliceOf(start, stop, step);
  }

  private boolean isSliceEnd() {
    return tokens.isOperator("]") || tokens.isOperator(",");
  }

  Expr.Call call(Expr callee) {
    return new Expr.Call(callee, arguments());
  }

  private Expr.Arguments arguments() {
    tokens.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Expr star = null;
    Expr doubleStar = null;
    boolean first = true;
    while (!tokens.skipOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.skipOperator(")")) {
          break;
        }
      }
      first = false;
      if (tokens.isOperator("*") && star == null && doubleStar == null) {
        tokens.next();
        star = expression();
      } else if (tokens.isOperator("**") && doubleStar == null) {
        tokens.next();
        doubleStar = expression();
      } else if (tokens.is(Token.Kind.NAME)
          && tokens.following().isOperator("=")
          && doubleStar == null) {
        String name = tokens.next().text();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw tokens.error("the argument " + Printing.quoted(name) + " is given twice");
        }
      } else if (star == null && doubleStar == null && named.isEmpty()) {
        positional.add(expression());
      } else {
        throw tokens.error("invalid syntax for function call expression");
      }
    }
    return new Expr.Arguments(positional, named, star, doubleStar);
  }

  private Expr filtersAndTests(Expr start) {
    Expr result = start;
    while (true) {
      if (tokens.isOperator("|")) {
        result = filters(result);
      } else if (tokens.isName("is")) {
        result = test(result);
      } else if (tokens.isOperator("(")) {
        result = call(result);
      } else {
        return result;
      }
    }
  }

  private String dottedName(String what) {
    StringBuilder name =
        new StringBuilder(tokens.expect(Token.Kind.NAME, "the name of a " + what).text());
    while (tokens.skipOperator(".")) {
      name.append('.').append(tokens.expect(Token.Kind.NAME, "the name of a " + what).text());
    }
    return name.toString();
  }

  /** All filters that follow, the first of which stands behind a bar. */
  Expr filters(Expr start) {
    Expr result = start;
    while (tokens.skipOperator("|")) {
      result = filter(result);
    }
    return result;
  }

  /** A filter whose bar is read already. */
  Expr filter(Expr operand) {
    int line = tokens.current().line();
    String name = dottedName("filter");
    if (Filters.UNSUPPORTED.contains(name)) {
      throw new ChatTemplateException(
          "the filter " + Printing.quoted(name) + " of Jinja2 is not supported", line);
    } else if (!Filters.exists(name)) {
      unknown.add(Filters.unknown(name).at(line));
    }
    Expr.Arguments arguments = tokens.isOperator("(") ? arguments() : Expr.Arguments.NONE;
    return new Expr.Filter(operand, name, arguments);
  }

  private Expr test(Expr operand) {
    int line = tokens.next().line();
    boolean negated = tokens.skipName("not");
    String name = dottedName("test");
    if (!Tests.exists(name)) {
      unknown.add(Tests.unknown(name).at(line));
    }
    Expr.Arguments arguments = Expr.Arguments.NONE;
    if (tokens.isOperator("(")) {
      arguments = arguments();
    } else if (beginsArgument()) {
      if (tokens.isName("is")) {
        throw tokens.error("You cannot chain multiple tests with is");
      }
      arguments = new Expr.Arguments(List.of(postfix(primary())), Map.of(), null, null);
    }
    Expr test = new Expr.Test(operand, name, arguments);
    return negated ? new Expr.Not(test) : test;
  }

  private boolean beginsArgument() {
    return switch (tokens.current().kind()) {
      case TEXT, INTEGER, REAL -> true;
      case NAME -> !tokens.isName("else") && !tokens.isName("or") && !tokens.isName("and");
      case OPERATOR -> tokens.isOperator("[") || tokens.isOperator("{");
      default -> false;
    };
  }

  /** What a loop or set assigns to. */
  Target target(String end) {
    List<Target> targets = new ArrayList<>();
    boolean several = false;
    while (true) {
      if (!targets.isEmpty()) {
        if (!tokens.skipOperator(",")) {
          break;
        }
        several = true;
        if (tokens.isOperator("=")
            || tokens.isOperator(")")
            || tokens.is(Token.Kind.BLOCK_END)
            || (end != null && tokens.isName(end))) {
          break;
        }
      }
      targets.add(oneTarget());
    }
    return several ? new Target.Several(targets) : targets.get(0);
  }

  private Target oneTarget() {
    if (tokens.skipOperator("(")) {
      tokens.enter();
      Target inner = target(null);
      tokens.leave();
      tokens.expectOperator(")");
      return inner;
    }
    String name = assigned();
    if (tokens.skipOperator(".")) {
      read.add(name);
      return new Target.OfNamespace(name, tokens.expect(Token.Kind.NAME, "name").text());
    }
    return new Target.Variable(name);
  }

  /** A name that can be assigned to. */
  String assigned() {
    Token name = tokens.expect(Token.Kind.NAME, "a name to assign to");
    if (CONSTANTS.contains(name.text())) {
      throw new ChatTemplateException(
          "can't assign to " + Printing.quoted(name.text()), name.line());
    }
    return name.text();
  }
}
