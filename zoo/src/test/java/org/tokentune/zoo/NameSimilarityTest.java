package org.tokentune.zoo;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NameSimilarityTest {

  /** Winkler's own table (Overview of Record Linkage and Current Research Directions, 2006). */
  @ParameterizedTest
  @CsvSource({
    "SHACKLEFORD, SHACKELFORD, 0.982",
    "DUNNINGHAM, CUNNIGHAM, 0.896",
    "NICHLESON, NICHULSON, 0.956",
    "JONES, JOHNSON, 0.832",
    "MASSEY, MASSIE, 0.933",
    "ABROMS, ABRAMS, 0.922",
    "HARDIN, MARTINEZ, 0.722",
    "ITMAN, SMITH, 0.467",
    "JERALDINE, GERALDINE, 0.926",
    "MARHTA, MARTHA, 0.961",
    "MICHELLE, MICHAEL, 0.921",
    "JULIES, JULIUS, 0.933",
    "TANYA, TONYA, 0.880",
    "DWAYNE, DUANE, 0.840",
    "SEAN, SUSAN, 0.805",
    "JON, JOHN, 0.933",
    "JON, JAN, 0.800",
    "A, B, 0",
    "SAME, SAME, 1",
  })
  void asPublished(String a, String b, double similarity) {
    assertEquals(similarity, NameSimilarity.of(a, b), 0.001);
    assertEquals(similarity, NameSimilarity.of(b, a), 0.001);
  }
}
