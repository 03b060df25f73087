package org.tokentune.formats;

import static org.tokentune.Arguments.required;

import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Tensors to write: what they are is known at once, and their values are read one at a time. */
public final class StoredTensors {

  /** Type and shape; a scalar has the shape {@code []}. */
  private record Header(DataType type, long[] shape) {}

  /** Reads or writes something of an array. */
  interface Action<E extends Exception> {
    void on(INDArray array) throws E;
  }

  private final Map<String, Header> headers;
  private final Function<String, INDArray> values;
  private final boolean fresh;

  private StoredTensors(
      Map<String, Header> headers, Function<String, INDArray> values, boolean fresh) {
    this.headers = headers;
    this.values = values;
    this.fresh = fresh;
  }

  /** Tensors in memory, in the map's order. */
  public static StoredTensors of(Map<String, INDArray> arrays) {
    required(arrays, "arrays");

    Map<String, Header> headers = new LinkedHashMap<>();
    arrays.forEach((name, array) -> headers.put(name, new Header(array.dataType(), array.shape())));
    return new StoredTensors(headers, arrays::get, false);
  }

  /** The tensors of a file, each of which is read when it is written. */
  public static StoredTensors of(WeightSource file) {
    required(file, "file");

    Map<String, Header> headers = new LinkedHashMap<>();
    for (String name : file.names()) {
      headers.put(name, new Header(file.type(name), file.shape(name)));
    }
    return new StoredTensors(headers, file::read, true);
  }

  /** Some of the tensors, in this order. */
  public StoredTensors only(Collection<String> names) {
    required(names, "names");

    Map<String, Header> some = new LinkedHashMap<>();
    names.forEach(name -> some.put(name, headers.get(name)));
    return new StoredTensors(some, values, fresh);
  }

  /** The names of all tensors. */
  public Set<String> names() {
    return Collections.unmodifiableSet(headers.keySet());
  }

  /** The type of its values; FLOAT is written as any type of floats. */
  public DataType type(String name) {
    return headers.get(name).type();
  }

  long[] shape(String name) {
    return headers.get(name).shape();
  }

  /** The bytes it takes in a file whose floats have a type. */
  public long bytes(String name, FloatType floats) {
    required(floats, "floats");

    long width = type(name).isFPType() ? floats.width : type(name).width();
    long count = 1;
    for (long size : shape(name)) {
      count *= size;
    }
    return count * width;
  }

  /** Passes the values on, and frees what was read for it. */
  <E extends Exception> void read(String name, Action<E> action) throws E {
    INDArray array = values.apply(name);
    try {
      action.on(array);
    } finally {
      if (fresh) {
        array.close();
      }
    }
  }
}
