package org.tokentune.zoo;

import java.util.ArrayList;
import java.util.List;

/**
 * How alike two names are, for suggestions (Winkler, String Comparator Metrics and Enhanced
 * Decision Rules in the Fellegi-Sunter Model of Record Linkage, 1990).
 */
final class NameSimilarity {

  private static final int PREFIX = 4;
  private static final double PREFIX_WEIGHT = 0.1;

  private NameSimilarity() {}

  /** Jaro and Winkler's similarity: from 0, nothing in common, to 1, equal. */
  static double of(String a, String b) {
    int window = Math.max(0, Math.max(a.length(), b.length()) / 2 - 1);
    boolean[] taken = new boolean[b.length()];
    List<Character> ofA = new ArrayList<>();
    for (int i = 0; i < a.length(); i++) {
      int end = Math.min(b.length(), i + window + 1);
      for (int j = Math.max(0, i - window); j < end; j++) {
        if (!taken[j] && a.charAt(i) == b.charAt(j)) {
          taken[j] = true;
          ofA.add(a.charAt(i));
          break;
        }
      }
    }
    if (ofA.isEmpty()) {
      return 0;
    }
    int moved = 0;
    int next = 0;
    for (int j = 0; j < b.length(); j++) {
      if (taken[j] && ofA.get(next++) != b.charAt(j)) {
        moved++;
      }
    }
    double common = ofA.size();
    double jaro = (common / a.length() + common / b.length() + (common - moved / 2.0) / common) / 3;
    int prefix = 0;
    while (prefix < Math.min(PREFIX, Math.min(a.length(), b.length()))
        && a.charAt(prefix) == b.charAt(prefix)) {
      prefix++;
    }
    return jaro + prefix * PREFIX_WEIGHT * (1 - jaro);
  }
}
