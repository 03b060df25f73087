package org.tokentune.datasets;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tokentune.BadInputException;
import org.tokentune.objectives.Objectives;

class GroupedSplitTest {

  private static final GroupedSplit STRATIFIED = new GroupedSplit(Objectives.CLASSIFY, true, null);

  /** Of every 100 rows, 60 are a, 27 b and 13 c. */
  private static List<Example> rows(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Example("text " + i, i % 100 < 60 ? "a" : i % 100 < 87 ? "b" : "c"))
        .toList();
  }

  private static Map<String, Long> counts(List<Example> rows) {
    return rows.stream().collect(Collectors.groupingBy(Example::label, Collectors.counting()));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 42})
  void everyLabelHasItsShare(long seed) {
    DataSplit split = STRATIFIED.of(rows(1000), 0.1, seed);
    assertEquals(Map.of("a", 60L, "b", 27L, "c", 13L), counts(split.validation()));
    assertEquals(Map.of("a", 540L, "b", 243L, "c", 117L), counts(split.train()));
    assertEquals(split, STRATIFIED.of(rows(1000), 0.1, seed));
    assertNotEquals(split, STRATIFIED.of(rows(1000), 0.1, seed + 1));
  }

  @Test
  void roundsSoThatTheWholeShareIsRight() {
    List<Example> rows =
        IntStream.range(0, 100).mapToObj(i -> new Example("text " + i, "label " + i / 2)).toList();
    assertEquals(10, STRATIFIED.of(rows, 0.1, 1).validation().size());
  }

  @Test
  void groupsAndEqualTextsAreNotSplit() {
    List<Example> rows = new ArrayList<>(rows(300));
    List<String> groups =
        new ArrayList<>(IntStream.range(0, 300).mapToObj(i -> "customer " + i % 40).toList());
    for (int i = 0; i < 20; i++) { // joins groups 0 and 1
      rows.add(new Example("text 0", "a"));
      groups.add("customer 1");
    }
    DataSplit split = new GroupedSplit(Objectives.CLASSIFY, false, groups).of(rows, 0.2, 3);
    Map<Example, Set<String>> groupsOf =
        IntStream.range(0, rows.size())
            .boxed()
            .collect(
                Collectors.groupingBy(
                    rows::get, Collectors.mapping(groups::get, Collectors.toSet())));
    Set<String> trained = new HashSet<>();
    split.train().forEach(row -> trained.addAll(groupsOf.get(row)));
    split
        .validation()
        .forEach(row -> assertTrue(groupsOf.get(row).stream().noneMatch(trained::contains)));
    assertEquals(320, Stream.of(split.train(), split.validation()).mapToInt(List::size).sum());
    assertEquals(64, split.validation().size(), 8);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void movesWholeGroupsWithMissingLabels(boolean stratify) {
    List<Example> rows = new ArrayList<>(rows(200));
    List<String> groups =
        new ArrayList<>(IntStream.range(0, 200).mapToObj(i -> "customer " + i / 4).toList());
    for (int i = 0; i < 5; i++) { // one group has all rows of two rare labels
      rows.add(new Example("rare " + i, i == 4 ? "rarest" : i == 0 ? "a" : "rare"));
      groups.add("the last customer");
    }
    GroupedSplit split = new GroupedSplit(Objectives.CLASSIFY, stratify, groups);
    int moved = 0;
    for (long seed = 0; seed < 20; seed++) {
      DataSplit drawn = split.of(rows, 0.3, seed);
      assertTrue(drawn.train().containsAll(rows.subList(200, 205)), "seed " + seed);
      assertEquals(205, drawn.train().size() + drawn.validation().size());
      assertEquals(drawn, drawn.withEveryLabel(Objectives.CLASSIFY));
      moved +=
          drawn
                  .train()
                  .subList(drawn.train().size() - 5, drawn.train().size())
                  .equals(rows.subList(200, 205))
              ? 1
              : 0;
    }
    System.out.println("moved with " + moved + " of 20 seeds");
    assertTrue(moved > 0);
  }

  @Test
  void everyRowIsTestedInOneFold() {
    List<Example> rows = rows(500);
    for (List<DataSplit> folds :
        List.of(DataSplit.folds(rows, 5, 1), STRATIFIED.folds(rows, 5, 1))) {
      assertEquals(5, folds.size());
      List<Example> tested = folds.stream().flatMap(fold -> fold.test().stream()).toList();
      assertEquals(new HashSet<>(rows), new HashSet<>(tested));
      for (DataSplit fold : folds) {
        assertEquals(100, fold.test().size());
        assertEquals(400, fold.train().size());
        assertTrue(fold.train().stream().noneMatch(fold.test()::contains));
      }
    }
    for (DataSplit fold : STRATIFIED.folds(rows, 5, 2)) {
      assertEquals(Map.of("a", 60L, "b", 27L, "c", 13L), counts(fold.test()));
    }
  }

  @Test
  void foldsDoNotSplitGroups() {
    List<Example> rows = rows(300);
    List<String> groups = IntStream.range(0, 300).mapToObj(i -> "g" + i * i / 3000).toList();
    List<DataSplit> folds = new GroupedSplit(Objectives.CLASSIFY, true, groups).folds(rows, 3, 4);
    for (DataSplit fold : folds) {
      Set<String> tested = new HashSet<>();
      fold.test().forEach(row -> tested.add(groups.get(rows.indexOf(row))));
      assertTrue(
          fold.train().stream().noneMatch(r -> tested.contains(groups.get(rows.indexOf(r)))));
      System.out.println(fold.test().size() + " rows " + counts(fold.test()));
      assertEquals(100, fold.test().size(), 25);
    }
    for (Runnable wrong :
        List.<Runnable>of(
            () -> DataSplit.folds(rows, 1, 1),
            () -> DataSplit.folds(rows.subList(0, 2), 3, 1),
            () -> new GroupedSplit(Objectives.CLASSIFY, false, groups).folds(rows, 100, 1))) {
      System.out.println(assertThrows(BadInputException.class, wrong::run).getMessage());
    }
  }

  /** The rows of scikit-learn's issue 28218, where a class was missing in some training rows. */
  @Test
  void foldsHaveEveryLabelWhereGroupsAllowIt() {
    List<Example> rows =
        IntStream.range(0, 6)
            .mapToObj(i -> new Example("text " + i, "110022".substring(i, i + 1)))
            .toList();
    List<String> groups = List.of("a", "b", "b", "c", "c", "d");
    for (long seed = 0; seed < 5; seed++) {
      for (DataSplit fold :
          new GroupedSplit(Objectives.CLASSIFY, true, groups).folds(rows, 2, seed)) {
        assertEquals(Set.of("0", "1", "2"), counts(fold.train()).keySet());
        assertEquals(3, fold.test().size());
      }
    }
  }

  @Test
  void rejectsRowsThatAllBelongTogether() {
    List<Example> rows = rows(4);
    GroupedSplit one = new GroupedSplit(Objectives.CLASSIFY, false, List.of("x", "x", "x", "x"));
    String message = assertThrows(BadInputException.class, () -> one.of(rows, 0.5, 1)).getMessage();
    System.out.println(message);
    assertTrue(message.contains("4 rows are 1"), message);
    GroupedSplit tooFew = new GroupedSplit(Objectives.CLASSIFY, false, List.of("x"));
    assertThrows(BadInputException.class, () -> tooFew.of(rows, 0.5, 1));
  }
}
