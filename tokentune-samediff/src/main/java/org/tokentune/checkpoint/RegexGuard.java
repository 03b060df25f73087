package org.tokentune.checkpoint;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds in a regular expression what makes a search take time exponential in the text: a repetition
 * without end of something that holds one, such as {@code (a+)+}.
 */
public final class RegexGuard {

  private static final Pattern COUNT = Pattern.compile("\\{\\d*,?\\d*}");

  private RegexGuard() {}

  /** Whether a group that holds a repetition without end is itself repeated without end. */
  public static boolean repeatsRepetition(String regex) {
    Deque<Boolean> around = new ArrayDeque<>(); // what held was where each open group begins
    boolean held = false; // whether the group so far holds a repetition without end
    boolean group = false; // whether the item before is a group that does
    boolean repeated = false; // whether a sign of repetition stands before
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

  /** The {@code {n}}, {@code {n,}} or {@code {n,m}} that begins there; empty if none does. */
  private static String count(String regex, int at) {
    Matcher count = COUNT.matcher(regex).region(at, regex.length());
    return count.lookingAt() ? count.group() : "";
  }
}
