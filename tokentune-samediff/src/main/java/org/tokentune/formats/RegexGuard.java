package org.tokentune.formats;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Detects regular expressions that can take time exponential in the text's length: an unbounded
 * repetition inside another one, such as {@code (a+)+}.
 */
public final class RegexGuard {

  private static final Pattern COUNT = Pattern.compile("\\{\\d*,?\\d*}");

  private RegexGuard() {}

  /** Whether a group that contains an unbounded repetition is itself repeated without bound. */
  public static boolean repeatsRepetition(String regex) {
    Deque<Boolean> around = new ArrayDeque<>(); // saved value of held for each open group
    boolean held = false; // whether the group so far contains an unbounded repetition
    boolean group = false; // whether the previous item is a group that does
    boolean repeated = false; // whether the previous character is a quantifier
    int classes = 0;
    for (int i = 0; i < regex.length(); i++) {
      char c = regex.charAt(i);
      String count = classes == 0 && c == '{' ? count(regex, i) : "";
      boolean possessive = c == '+' && repeated;
      if (classes == 0 && !possessive && (c == '*' || c == '+' || count.endsWith(",}"))) {
        if (group) {
          return true;
        }
        held = true;
      }
      repeated = classes == 0 && (c == '*' || c == '?' || (c == '+' && !repeated));
      if (c == '\\') {
        i++;
        group = false;
      } else if (c == '[') {
        classes++;
        group = false;
      } else if (classes > 0) {
        classes -= c == ']' ? 1 : 0;
      } else if (c == '(') {
        around.push(held);
        held = false;
        group = false;
      } else if (c == ')') {
        group = held;
        held |= !around.isEmpty() && around.pop();
      } else if (!count.isEmpty()) {
        i += count.length() - 1;
      } else if ("*+?".indexOf(c) < 0) {
        group = false;
      }
    }
    return false;
  }

  /** The {@code {n}}, {@code {n,}} or {@code {n,m}} that begins here; empty if there is none. */
  private static String count(String regex, int at) {
    Matcher count = COUNT.matcher(regex).region(at, regex.length());
    return count.lookingAt() ? count.group() : "";
  }
}
