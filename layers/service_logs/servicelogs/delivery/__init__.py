"""What every pipeline does, whatever its source and engine: no record is lost or counted twice."""
