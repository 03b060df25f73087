package org.tokentune.chat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/** Python's stable sort: values that cannot be compared are an error. */
final class Sorting {

  private Sorting() {}

  static <T> void sort(Run run, List<T> items, Function<T, Value> key, boolean descending) {
    List<Keyed<T>> keyed = new ArrayList<>(items.size());
    for (T item : items) {
      keyed.add(new Keyed<>(key.apply(item), item));
    }
    if (descending) { // equal elements stay in order
      Collections.reverse(keyed);
    }
    merge(run, keyed);
    if (descending) {
      Collections.reverse(keyed);
    }
    for (int i = 0; i < items.size(); i++) {
      items.set(i, keyed.get(i).item);
    }
  }

  private record Keyed<T>(Value key, T item) {}

  /** By hand: with NaN among the values the order is none, which Java's own sort may reject. */
  private static <T> void merge(Run run, List<Keyed<T>> items) {
    if (items.size() < 2) {
      return;
    }
    int middle = items.size() / 2;
    List<Keyed<T>> left = new ArrayList<>(items.subList(0, middle));
    List<Keyed<T>> right = new ArrayList<>(items.subList(middle, items.size()));
    merge(run, left);
    merge(run, right);
    int i = 0;
    int j = 0;
    for (int to = 0; to < items.size(); to++) {
      boolean fromRight =
          i == left.size()
              || (j < right.size() && Operators.isLess(run, right.get(j).key, left.get(i).key));
      items.set(to, fromRight ? right.get(j++) : left.get(i++));
    }
  }
}
