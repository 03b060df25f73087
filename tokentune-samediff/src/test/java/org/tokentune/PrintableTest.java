package org.tokentune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class PrintableTest {

  @Test
  void escapesCharactersThatMoveTheCursor() {
    assertEquals("a\\nb\\tc\\rd", Printable.line("a\nb\tc\rd"));
    assertEquals("a\nb\tc\\u000dd", Printable.lines("a\nb\tc\rd"));
    for (String bad : new String[] {"\u001b", "\u0007", "\u009b", "\u2028", "\u202e", "\ud800"}) {
      assertTrue(Printable.line(bad).matches("\\\\u[0-9a-f]{4}"), Printable.line(bad));
      assertEquals(Printable.line(bad), Printable.lines(bad));
    }
    String text = "Grüße, 你好, \ud83d\ude00\u200d ا";
    assertEquals(text, Printable.line(text));
  }

  @Test
  void cutsLongMessages() {
    assertEquals(2003, new BadInputException("%s", "x".repeat(100_000)).getMessage().length());
  }
}
