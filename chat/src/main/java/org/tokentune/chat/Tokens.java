package org.tokentune.chat;

import java.util.List;

/** The tokens of a template, one after the other. */
final class Tokens {

  private final List<Token> tokens;
  private final int maximumDepth;
  private int at;
  private int depth;

  Tokens(List<Token> tokens, int maximumDepth) {
    this.tokens = tokens;
    this.maximumDepth = maximumDepth;
  }

  Token current() {
    return tokens.get(at);
  }

  Token following() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = current();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean isName(String name) {
    return current().isName(name);
  }

  boolean isOperator(String operator) {
    return current().isOperator(operator);
  }

  boolean is(Token.Kind kind) {
    return current().kind() == kind;
  }

  boolean skipName(String name) {
    boolean found = isName(name);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipOperator(String operator) {
    boolean found = isOperator(operator);
    if (found) {
      next();
    }
    return found;
  }

  void expectOperator(String operator) {
    if (!skipOperator(operator)) {
      throw error("expected token " + Printing.quoted(operator) + ", got " + current().describe());
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (!is(kind)) {
      throw error("expected " + what + ", got " + current().describe());
    }
    return next();
  }

  ChatTemplateException error(String message) {
    return new ChatTemplateException(message, current().line());
  }

  void enter() {
    if (++depth > maximumDepth) {
      throw error("the template is nested more than " + maximumDepth + " deep");
    }
  }

  void leave() {
    depth--;
  }
}
