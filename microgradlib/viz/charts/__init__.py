"""Line charts as SVG: `axis` finds round marks, `curves` paints, `chart` is what users call."""
